"""Calibration: how often the verdict passes when nothing, or something of known size, is there."""

from farm.calibrate.grid import PipelineResult, calibrate_pipeline
from farm.calibrate.rate import Rate
from farm.calibrate.returns import ReturnCell
from farm.calibrate.statistics import StatisticsResult, calibrate_statistics
from farm.calibrate.table import pipeline_table, statistics_table

__all__ = [
    "PipelineResult",
    "Rate",
    "ReturnCell",
    "StatisticsResult",
    "calibrate_pipeline",
    "calibrate_statistics",
    "pipeline_table",
    "statistics_table",
]
