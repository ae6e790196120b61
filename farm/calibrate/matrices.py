"""What the statistics say of one simulated experiment, by the code that gathers evidence on real ones."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from farm.calibrate.returns import SESSIONS_A_YEAR, ReturnCell
from farm.evidence import History, StudyEvidence, Thresholds, gather_evidence
from farm.stats import optimal_block_length, reality_check, spa

Float = NDArray[np.float64]

_RESAMPLES = 200
_COLUMNS_OF_BLOCK_LENGTH = 8
_MANY_EVENTS = 1_000_000


@dataclass(frozen=True)
class Examined:
    """One run before any ruling: the evidence on its studies, and tests of the whole matrices.

    ``promising`` are the trials that an undeflated test would let pass, a study each; ``reality_check`` and ``spa`` are
    p-values, one a study.
    """

    studies: tuple[StudyEvidence, ...]
    promising: tuple[tuple[str, ...], ...]
    reality_check: tuple[float, ...]
    spa: tuple[float, ...]

    def plain(self) -> dict[str, Any]:
        """JSON-able values."""
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Examined":
        """The run that was stored as ``plain()``."""
        return cls(
            studies=tuple(StudyEvidence.of(study) for study in plain["studies"]),
            promising=tuple(tuple(names) for names in plain["promising"]),
            reality_check=tuple(plain["reality_check"]),
            spa=tuple(plain["spa"]),
        )


def examine(cell: ReturnCell, seed: int, thresholds: Thresholds) -> Examined:
    """Simulate one run of a cell and gather the evidence on it.

    Only trials that an undeflated test would let pass are handed over as candidates, the others as the ledger's: no
    ruling on anybody differs, for deflation only ever takes away.
    """
    matrices = cell.simulate(seed)
    names = trial_names(cell)
    critical = float(ndtri(1 - thresholds.alpha))
    promising = [psr_z(matrix) >= critical for matrix in matrices]
    resampled = [_resampled_tests(matrix, seed) for matrix in matrices]
    return Examined(
        studies=tuple(
            _evidence(f"study {number}", names, matrix, chosen, thresholds, cell.studies, seed)
            for number, (matrix, chosen) in enumerate(zip(matrices, promising, strict=True))
        ),
        promising=tuple(tuple(names[chosen].tolist()) for chosen in promising),
        reality_check=tuple(p_value for p_value, _ in resampled),
        spa=tuple(p_value for _, p_value in resampled),
    )


def trial_names(cell: ReturnCell) -> NDArray[np.str_]:
    """What the trials of a cell are called, in the order of its columns."""
    return np.array([f"trial {number}" for number in range(cell.trials)])


def psr_z(matrix: Float) -> Float:
    """The z value of the probabilistic Sharpe ratio of every column against 0 (Bailey and López de Prado 2012)."""
    unit = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    sharpe = matrix.mean(axis=0) / matrix.std(axis=0, ddof=1)
    square = unit * unit
    skew, kurtosis = np.mean(square * unit, axis=0), np.mean(square * square, axis=0)
    variance = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    return np.asarray(sharpe * np.sqrt((len(matrix) - 1) / variance))


def _evidence(
    symbol: str,
    names: NDArray[np.str_],
    matrix: Float,
    chosen: NDArray[np.bool_],
    thresholds: Thresholds,
    n_studies: int,
    seed: int,
) -> StudyEvidence:
    chosen = chosen.copy()
    chosen[int(np.argmax(matrix.mean(axis=0)))] = True  # a study without any candidate cannot be judged
    return gather_evidence(
        symbol,
        {str(names[column]): matrix[:, column] for column in np.flatnonzero(chosen)},
        History(matrix[:, ~chosen]),
        sessions_per_year=SESSIONS_A_YEAR,
        smallest_group=_MANY_EVENTS,
        faults=(),
        thresholds=thresholds,
        n_studies=n_studies,
        seed=seed,
        intervals=False,
    )


def _resampled_tests(matrix: Float, seed: int) -> tuple[float, float]:
    """The p-values of the reality check and the SPA test, on the same resamples."""
    some = matrix[:, :_COLUMNS_OF_BLOCK_LENGTH]  # all trials of a cell depend on time alike
    length = float(np.mean([optimal_block_length(column) for column in some.T]))
    how: dict[str, Any] = {"n_resamples": _RESAMPLES, "block_length": length, "seed": seed, "threads": 1}
    return reality_check(matrix, **how).p_value, spa(matrix, **how).p_value
