"""Runs: plan, executors, the driver, a run's files."""

from farm.run.check import check, check_data, check_declared
from farm.run.driver import RunResult, run
from farm.run.folder import find_run
from farm.run.forecast import forecast
from farm.run.listing import ledger_heads, list_runs

__all__ = [
    "RunResult",
    "check",
    "check_data",
    "check_declared",
    "find_run",
    "forecast",
    "ledger_heads",
    "list_runs",
    "run",
]
