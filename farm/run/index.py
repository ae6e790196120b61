"""The page of all runs of a home: written on request, and again at the end of every run."""

from concurrent.futures import ThreadPoolExecutor

from farm.report import IndexedRun, index_page
from farm.run.folder import RunFolder, all_runs, status_of
from farm.store import files_of

_PAGE = "runs/index.html"


def write_index(home: str) -> str:
    """Write ``runs/index.html``; its full name."""
    with ThreadPoolExecutor(16) as pool:  # on an object store the time goes into waiting
        runs = list(pool.map(_indexed, all_runs(home)))
    files = files_of(home)
    files.replace(_PAGE, index_page(home, runs).encode())
    return files.place(_PAGE)


def refresh_index(home: str) -> str | None:
    """Write it at the end of a run, which must not fail because of another one's folder; what went wrong, if it did."""
    try:
        write_index(home)
    except (OSError, ValueError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _indexed(folder: RunFolder) -> IndexedRun:
    manifest, names = folder.manifest(), folder.files.names(folder.name)
    experiment = folder.files.read(f"{folder.name}/experiment.yaml") if "experiment.yaml" in names else b""
    return IndexedRun(
        manifest=manifest,
        status=status_of(manifest),
        summary=folder.read_json("summary.json"),
        experiment_text=experiment.decode(),
        link=f"{folder.name.removeprefix('runs/')}/report.html" if "report.html" in names else None,
    )
