"""phacker on matrices of returns: the probability of backtest overfitting, which is all that it measures.

Run by the interpreter of its own environment: `python by_phacker.py MATRICES.npz` prints what passed as JSON.
"""

import json
import sys

import numpy as np
from phacker.cscv import cscv


def pbo(returns: np.ndarray) -> float:
    """PBO of one run's trials with the 16 blocks of the paper and of its guide."""
    return float(cscv(returns, S=16)[0])


if __name__ == "__main__":
    found = [pbo(run) for run in np.load(sys.argv[1])["returns"]]
    print(json.dumps({"PBO < .5": [one < 0.5 for one in found], "PBO ≤ .05": [one <= 0.05 for one in found]}))
