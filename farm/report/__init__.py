"""The report: one self-contained HTML page a run."""

from farm.report.page import write_report

__all__ = ["write_report"]
