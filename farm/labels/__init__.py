"""Labels: what the price did after a decision, and how much each label weighs."""

from farm.labels.barrier import triple_barrier
from farm.labels.bootstrap import draw_probabilities, sequential_bootstrap
from farm.labels.events import CLASSES, Events
from farm.labels.quality import LabelQuality, label_quality
from farm.labels.recipe import TripleBarrier
from farm.labels.sampling import Cusum, Every, Sampling, cusum_events, threshold_for
from farm.labels.uniqueness import average_uniqueness, concurrency
from farm.labels.volatility import Atr, Ewma, Volatility, exponential_deviation
from farm.labels.weights import return_attribution, sample_weights, time_decay

__all__ = [
    "CLASSES",
    "Atr",
    "Cusum",
    "Events",
    "Every",
    "Ewma",
    "LabelQuality",
    "Sampling",
    "TripleBarrier",
    "Volatility",
    "average_uniqueness",
    "concurrency",
    "cusum_events",
    "draw_probabilities",
    "exponential_deviation",
    "label_quality",
    "return_attribution",
    "sample_weights",
    "sequential_bootstrap",
    "threshold_for",
    "time_decay",
    "triple_barrier",
]
