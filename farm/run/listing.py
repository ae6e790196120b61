"""The runs of a home at a glance."""

import json
from typing import Any

from farm.run.folder import all_runs, read_manifest, status_of


def list_runs(home: str) -> list[dict[str, Any]]:
    """Name, id, status, verdict and fit counts of every run, oldest first within each experiment.

    The status is done, failed, running, or stopped: begun, and given up by its process; the same command goes on.
    """
    rows = []
    for folder in all_runs(home):
        manifest = read_manifest(folder) or {}
        summary_file = folder / "summary.json"
        summary = json.loads(summary_file.read_text(encoding="utf-8")) if summary_file.is_file() else {}
        fits = manifest.get("fits", {})
        rows.append(
            {
                "name": manifest.get("name"),
                "run_id": manifest.get("run_id"),
                "status": status_of(manifest),
                "started_at": manifest.get("started_at"),
                "verdict": summary.get("verdict"),
                "passed": [f"{one['symbol']}/{one['trial']}" for one in summary.get("passed", [])],
                "fits": fits.get("total"),
                "reused": fits.get("reused"),
                "folder": str(folder),
            }
        )
    return rows


def ledger_heads(home: str) -> dict[str, list[str]]:
    """The heads of each study's ledger in the manifests of a home's runs: what its chain must contain."""
    heads: dict[str, list[str]] = {}
    for folder in all_runs(home):
        for study, head in ((read_manifest(folder) or {}).get("ledger_heads") or {}).items():
            heads.setdefault(study, []).append(head)
    return heads
