"""Files that belong together, put in their place at once and never over something else unasked."""

from collections.abc import Mapping
from pathlib import Path

from farm.errors import BadInput


def place_files(folder: Path, contents: Mapping[str, bytes], *, replace: bool) -> list[Path]:
    """Write files under temporary names, then rename them in the given order; the paths of all.

    Files that exist with the same content stay as they are. One that differs is a `BadInput`, before anything is
    written, unless ``replace``.
    """
    paths = [folder / name for name in contents]
    differing = [path for path in paths if path.exists() and path.read_bytes() != contents[path.name]]
    if differing and not replace:
        raise BadInput(
            f"{differing[0]}: exists and holds something else; write over it by --replace, or give another folder "
            "by --to"
        )
    temporary = {
        path: path.with_name(f".{path.name}.writing") for path in paths if not path.exists() or path in differing
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        for path, writing in temporary.items():
            writing.write_bytes(contents[path.name])
        for path, writing in temporary.items():
            writing.replace(path)
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        for writing in temporary.values():
            writing.unlink(missing_ok=True)
    return paths


def _unwritable(folder: Path, error: OSError) -> BadInput:
    return BadInput(f"{folder}: cannot be written to ({error.strerror}); give another folder by --to")
