"""The runs of a home at a glance."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from farm.run.folder import RunFolder, all_runs, status_of


def list_runs(home: str) -> list[dict[str, Any]]:
    """Name, id, status, verdict and fit counts of every run, oldest first within each experiment.

    The status is done, failed, running, or stopped: begun, and given up by its process; the same command goes on.
    """
    with ThreadPoolExecutor(16) as pool:  # on an object store the time goes into waiting
        return list(pool.map(_row, all_runs(home)))


def _row(folder: RunFolder) -> dict[str, Any]:
    manifest = folder.manifest()
    summary = folder.read_json("summary.json") or {}
    fits = manifest.get("fits", {})
    return {
        "name": manifest.get("name"),
        "run_id": manifest.get("run_id"),
        "status": status_of(manifest),
        "started_at": manifest.get("started_at"),
        "verdict": summary.get("verdict"),
        "passed": [f"{one['symbol']}/{one['trial']}" for one in summary.get("passed", [])],
        "fits": fits.get("total"),
        "reused": fits.get("reused"),
        "folder": folder.place,
    }


def ledger_heads(home: str) -> dict[str, list[str]]:
    """The heads of each study's ledger in the manifests of a home's runs: what its chain must contain."""
    heads: dict[str, list[str]] = {}
    for folder in all_runs(home):
        for study, head in (folder.manifest().get("ledger_heads") or {}).items():
            heads.setdefault(study, []).append(head)
    return heads
