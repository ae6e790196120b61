"""Calibration: how often the verdict passes when nothing, or something of known size, is there."""

from farm.calibrate.grid import CellResult, calibrate_pipeline
from farm.calibrate.table import rates_table

__all__ = ["CellResult", "calibrate_pipeline", "rates_table"]
