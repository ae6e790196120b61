"""Named choices of features, to start an experiment from."""

from collections.abc import Mapping
from types import MappingProxyType

PRESETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "core": (
            "log_return_1",
            "log_return_5",
            "log_return_10",
            "log_return_20",
            "log_return_60",
            "autocorrelation_20",
            "ema_distance_20",
            "sma_distance_50",
            "macd_histogram",
            "adx_14",
            "efficiency_ratio_20",
            "rsi_14",
            "stochastic_14",
            "cci_20",
            "atr_share_14",
            "realized_volatility_10",
            "realized_volatility_60",
            "volatility_ratio_10_60",
            "parkinson_20",
            "garman_klass_20",
            "bollinger_20",
            "volume_ratio_20",
            "volume_score_60",
            "close_location",
            "body",
            "range_14",
            "session_sin",
            "session_cos",
            "weekday_sin",
            "weekday_cos",
            "session_return",
            "vwap_distance",
        ),
        # what a short series can carry: no lookback over 21 bars
        "small": (
            "log_return_1",
            "log_return_5",
            "log_return_10",
            "log_return_20",
            "efficiency_ratio_20",
            "stochastic_14",
            "realized_volatility_10",
            "bollinger_20",
            "volume_ratio_20",
            "close_location",
        ),
        "none": (),
    }
)
