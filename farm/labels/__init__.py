"""Labels: what the price did after a decision, and how much each label weighs."""

from farm.labels.adaptive import AdaptiveBarrier
from farm.labels.barrier import triple_barrier
from farm.labels.bootstrap import draw_probabilities, sequential_bootstrap
from farm.labels.directional import Directional
from farm.labels.events import CLASSES, Events
from farm.labels.horizon import PRESETS, Horizon, bars_in
from farm.labels.horizon_barrier import HorizonBarrier
from farm.labels.kinds import LabelKind, Labels
from farm.labels.outcome import barrier_events, held_events, with_labels
from farm.labels.quality import LabelQuality, label_quality
from farm.labels.recipe import TripleBarrier
from farm.labels.regression import Regression
from farm.labels.sampling import Cusum, Every, Sampling, cusum_events, threshold_for
from farm.labels.threshold import Threshold
from farm.labels.trend import TrendScanning, strongest_trend
from farm.labels.uniqueness import average_uniqueness, concurrency
from farm.labels.volatility import Atr, Ewma, Volatility, exponential_deviation
from farm.labels.weights import return_attribution, sample_weights, time_decay

__all__ = [
    "CLASSES",
    "PRESETS",
    "AdaptiveBarrier",
    "Atr",
    "Cusum",
    "Directional",
    "Events",
    "Every",
    "Ewma",
    "Horizon",
    "HorizonBarrier",
    "LabelKind",
    "LabelQuality",
    "Labels",
    "Regression",
    "Sampling",
    "Threshold",
    "TrendScanning",
    "TripleBarrier",
    "Volatility",
    "average_uniqueness",
    "barrier_events",
    "bars_in",
    "concurrency",
    "cusum_events",
    "draw_probabilities",
    "exponential_deviation",
    "held_events",
    "label_quality",
    "return_attribution",
    "sample_weights",
    "sequential_bootstrap",
    "strongest_trend",
    "threshold_for",
    "time_decay",
    "triple_barrier",
    "with_labels",
]
