"""quant-harness on matrices of returns: its audit's verdict, with its own calibrated thresholds and splits.

Run by the interpreter of its own environment: `python by_quant_harness.py MATRICES.npz` prints what passed as JSON.
"""

import json
import sys

import numpy as np
import pandas as pd
from harness import audit_returns


def passes(returns: np.ndarray) -> bool:
    """Whether the audit of all trials of one run says PASS; shape (sessions, trials), a bar a day."""
    days = pd.date_range("2024-01-01", periods=len(returns), freq="1D", tz="UTC")
    return audit_returns(np.ascontiguousarray(returns.T), index=days)["verdict"] == "PASS"


if __name__ == "__main__":
    print(json.dumps({"PASS": [passes(run) for run in np.load(sys.argv[1])["returns"]]}))
