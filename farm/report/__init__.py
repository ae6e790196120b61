"""The report: one self-contained HTML page a run, two runs side by side, and an index of all runs of a home."""

from farm.report.compare import Comparison, compare_runs
from farm.report.compare_page import write_comparison
from farm.report.index import IndexedRun, index_page
from farm.report.page import write_report

__all__ = ["Comparison", "IndexedRun", "compare_runs", "index_page", "write_comparison", "write_report"]
