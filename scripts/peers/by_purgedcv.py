"""purgedcv on matrices of returns: its deflated Sharpe ratio of the best trial against the .95 of its guide.

Run by the interpreter of its own environment: `python by_purgedcv.py MATRICES.npz` prints what passed as JSON.
"""

import json
import sys

import numpy as np
from purgedcv import deflated_sharpe_ratio


def passes(returns: np.ndarray) -> bool:
    """Whether the best trial of one run clears .95, deflated by all trials and the spread of their Sharpe ratios."""
    sharpes = returns.mean(axis=0) / returns.std(axis=0)
    spread = float(np.var(sharpes, ddof=1)) if len(sharpes) > 1 else 0.0
    best = returns[:, int(np.argmax(sharpes))]
    return deflated_sharpe_ratio(best, n_trials=len(sharpes), var_sharpe=spread) >= 0.95


if __name__ == "__main__":
    print(json.dumps({"DSR ≥ .95": [passes(run) for run in np.load(sys.argv[1])["returns"]]}))
