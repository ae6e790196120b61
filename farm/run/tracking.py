"""Runs that MLflow has not heard of yet: their manifests say so, and every later run of the home tries again."""

from collections.abc import Iterator
from typing import Any

from farm.run.folder import RunFolder, all_runs
from farm.track import deliver


def deliver_pending(home: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Deliver the finished runs of a home whose tracking is pending, oldest first: (run id, what became of it)."""
    for folder in all_runs(home):
        tracking = folder.manifest().get("tracking") or {}
        if tracking.get("status") == "pending":
            folder.fetch()
            yield folder.run_id, deliver_run(folder, tracking["uri"], home)


def deliver_run(folder: RunFolder, uri: str | None, home: str) -> dict[str, Any]:
    """Deliver one finished run, whose files lie on this machine, and note in its manifest what became of it."""
    found = deliver(folder.path, uri, home)
    folder.update_manifest(tracking=found)
    return found
