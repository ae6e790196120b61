"""Structured logs: one JSON line an event, each with the run's id."""

import json
import time
from pathlib import Path
from typing import Any

from farm.run.faults import Fault


class RunLog:
    """Appends JSON lines to a run's ``log.jsonl``; only the driver writes, workers report to it."""

    def __init__(self, path: Path, run_id: str) -> None:
        self._path = path
        self._run_id = run_id

    def write(self, event: str, **fields: Any) -> None:
        """Append one event with the time and the run's id."""
        line = json.dumps({"time": time.time(), "run": self._run_id, "event": event, **fields}, sort_keys=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def fault(self, label: str, fault: Fault, attempt: int, error: str) -> None:
        """Append an attempt at some fits that came to nothing."""
        self.write("fault", fault=fault.name, fits=label, attempt=attempt, error=error)

    def progress(self, phase: str, counts: dict[str, float]) -> None:
        """Append how far a phase is, in the words of `farm.run.progress.Counts`."""
        self.write("progress", phase=phase, **counts)
