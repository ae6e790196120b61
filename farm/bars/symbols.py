"""Symbols that are not listed but named by a pattern, or by a file that lists them."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from glob import escape, has_magic
from pathlib import Path
from typing import Literal

from farm.errors import BadInput

OnBadSymbol = Literal["stop", "skip"]
"""Whether a symbol that cannot be prepared stops the run before any fit, or is left out, named and counted."""

_PLACE = "{symbol}"
_SHOWN = 5


def is_pattern(said: str) -> bool:
    """Whether a text stands for many symbols: it has ``*``, ``?`` or ``[…]`` in it.

    >>> is_pattern("multi/*_h1"), is_pattern("symbols.txt")
    (True, False)
    """
    return has_magic(said)


def symbols_of_files(pattern: str, path: str) -> tuple[str, ...]:
    """The symbols that fit a pattern and have a file, in the order of their names.

    Parameters
    ----------
    pattern
        ``*`` and ``?`` stand for what has no ``/`` in it, so that ``multi/*_h1`` looks into one folder.
    path
        The path or fsspec address of a symbol's file, with ``{symbol}`` in it.

    Raises
    ------
    BadInput
        There is no such folder, or no file in it fits; the message names the nearest that are there.
    """
    from fsspec.core import url_to_fs

    path = str(Path(path).expanduser()) if path.startswith("~") else path
    files, template = url_to_fs(path)
    before, *between, after = template.split(_PLACE)
    wanted = pattern.join([escape(before), *map(escape, between), escape(after)])
    found = _symbols(template, files.glob(wanted))
    if found:
        return found
    beside = _every_beside(pattern)
    others = _symbols(template, files.glob(beside.join([escape(before), *map(escape, between), escape(after)])))
    folder = f"{path.split(_PLACE)[0]}{pattern.rpartition('/')[0]}".rstrip("/")
    raise BadInput(
        f"symbols {pattern!r} fits no file {path.replace(_PLACE, pattern)}; {folder} has "
        f"{nearest_symbols(pattern, others)}"
    )


def symbols_in_column(pattern: str, file: str, column: Sequence[str]) -> tuple[str, ...]:
    """The symbols of a long file's column that fit a pattern, in the order of their names."""
    found = tuple(sorted(symbol for symbol in set(column) if fnmatchcase(symbol, pattern)))
    if found:
        return found
    raise BadInput(f"symbols {pattern!r} fits none of the symbols in {file}; it has {nearest_symbols(pattern, column)}")


def symbols_listed(file: str) -> tuple[str, ...]:
    """The symbols in a text file, one a line; empty lines and what follows a ``#`` are passed over."""
    try:
        lines = Path(file).expanduser().read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise BadInput(
            f"symbols {file!r} is no pattern (it has no * or ?), and there is no such file; write [{file}] for one "
            "symbol, a pattern such as '*_1h', or the path of a text file with a symbol a line"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"symbols {file!r} cannot be read ({error}); give a text file with a symbol a line") from None
    found = tuple(symbol for line in lines if (symbol := line.partition("#")[0].strip()))
    if not found:
        raise BadInput(f"symbols {file!r} lists no symbol; write one a line")
    return found


def _symbols(template: str, found: Sequence[str]) -> tuple[str, ...]:
    """What stands for the symbol in each of the files; the same thing everywhere in its path."""
    first, *others = (re.escape(part) for part in template.split(_PLACE))
    form = re.compile(f"{first}(?P<symbol>.+?){'(?P=symbol)'.join(others)}", re.DOTALL)
    fitting = (form.fullmatch(str(file)) for file in found)
    return tuple(sorted({match["symbol"] for match in fitting if match}))


def _every_beside(pattern: str) -> str:
    folder, slash, _ = pattern.rpartition("/")
    return f"{folder}{slash}*"


def nearest_symbols(pattern: str, known: Sequence[str]) -> str:
    """A hint that names the few known symbols that are most like a pattern, and how many more there are.

    >>> nearest_symbols("SPI*", ["SPY", "QQQ"])
    'SPY and 1 more'
    """
    if not known:
        return "none"
    every = sorted(set(known))
    near = get_close_matches(re.sub(r"[*?\[\]]", "", pattern), every, n=_SHOWN, cutoff=0.2) or every[:_SHOWN]
    more = f" and {len(every) - len(near)} more" if len(every) > len(near) else ""
    return f"{', '.join(near)}{more}"
