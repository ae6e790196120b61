"""Statistics that count everything: Sharpe family, overfitting, effective trials, bootstrap, reality checks, drift."""

from farm.stats.bootstrap import Interval, bootstrap_interval
from farm.stats.breaks import ChowTest, CusumTest, chow_test, cusum_test
from farm.stats.concentration import (
    Drawdowns,
    ReturnConcentration,
    drawdowns,
    herfindahl_index,
    return_concentration,
)
from farm.stats.deflation import (
    SharpeEstimate,
    certifiable_sharpe,
    known_sharpe,
    sharpe_standard_error,
    sharpe_z,
    verdict_deflated_sharpe,
)
from farm.stats.dominance import StochasticDominance, stochastic_dominance
from farm.stats.drift import (
    KolmogorovSmirnov,
    MannWhitney,
    kolmogorov_smirnov,
    mann_whitney,
    mean_shift,
    population_stability_index,
    wasserstein_distance,
)
from farm.stats.effective import EffectiveTrials, effective_trials
from farm.stats.moments import Moments, column_sharpes
from farm.stats.multiple import benjamini_hochberg, benjamini_yekutieli, holm
from farm.stats.overfitting import Overfitting, probability_of_backtest_overfitting
from farm.stats.resample import optimal_block_length
from farm.stats.serial import autocorrelation_adjusted_sharpe
from farm.stats.sharpe import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    minimum_backtest_length,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_ratio,
)
from farm.stats.stability import SelectionStability, selection_frequency, selection_stability
from farm.stats.stationarity import UnitRootTest, adf, kpss
from farm.stats.superiority import RealityCheck, SuperiorAbility, reality_check, spa

__all__ = [
    "ChowTest",
    "CusumTest",
    "Drawdowns",
    "EffectiveTrials",
    "Interval",
    "KolmogorovSmirnov",
    "MannWhitney",
    "Moments",
    "Overfitting",
    "RealityCheck",
    "ReturnConcentration",
    "SelectionStability",
    "SharpeEstimate",
    "StochasticDominance",
    "SuperiorAbility",
    "UnitRootTest",
    "adf",
    "autocorrelation_adjusted_sharpe",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "bootstrap_interval",
    "certifiable_sharpe",
    "chow_test",
    "column_sharpes",
    "cusum_test",
    "deflated_sharpe_ratio",
    "drawdowns",
    "effective_trials",
    "expected_maximum_sharpe",
    "herfindahl_index",
    "holm",
    "known_sharpe",
    "kolmogorov_smirnov",
    "kpss",
    "mann_whitney",
    "mean_shift",
    "minimum_backtest_length",
    "minimum_track_record_length",
    "optimal_block_length",
    "population_stability_index",
    "probabilistic_sharpe_ratio",
    "probability_of_backtest_overfitting",
    "reality_check",
    "return_concentration",
    "selection_frequency",
    "selection_stability",
    "sharpe_ratio",
    "sharpe_standard_error",
    "sharpe_z",
    "spa",
    "stochastic_dominance",
    "verdict_deflated_sharpe",
    "wasserstein_distance",
]
