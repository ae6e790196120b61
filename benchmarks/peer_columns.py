"""The 60 columns that Farm and TA-Lib both have, and by which calls the peers make them."""

HLC = ("high", "low", "close")

# Farm's feature: TA-Lib's function, its inputs, the input polars-talib starts from, settings, which of its outputs
COLUMNS: dict[str, tuple[str, tuple[str, ...], str, dict[str, int], int]] = {}


def _add(name: str, function: str, inputs: tuple[str, ...], start: str, output: int = 0, **settings: int) -> None:
    COLUMNS[name] = (function, inputs, start, settings, output)


for n in (1, 5, 10, 20, 60):
    _add(f"log_return_{n}", "ROC", ("close",), "close", timeperiod=n)
_add("roc_10", "MOM", ("close",), "close", timeperiod=10)
for n in (10, 20, 50, 100, 200):
    _add(f"sma_distance_{n}", "SMA", ("close",), "close", timeperiod=n)
for n in (9, 12, 20, 26, 50, 100):
    _add(f"ema_distance_{n}", "EMA", ("close",), "close", timeperiod=n)
_add("wma_distance_20", "WMA", ("close",), "close", timeperiod=20)
_add("kama_distance_30", "KAMA", ("close",), "close", timeperiod=30)
for fast, slow in ((5, 20), (10, 50), (50, 200)):
    _add(f"sma_spread_{fast}_{slow}", "APO", ("close",), "close", fastperiod=fast, slowperiod=slow, matype=0)
for i, name in enumerate(("macd_line", "macd_signal", "macd_histogram")):
    _add(name, "MACD", ("close",), "close", i, fastperiod=12, slowperiod=26, signalperiod=9)
for name, function in (("adx_14", "ADX"), ("plus_di_14", "PLUS_DI"), ("minus_di_14", "MINUS_DI")):
    _add(name, function, HLC, "close", timeperiod=14)
for i, name in enumerate(("aroon_down_25", "aroon_up_25")):
    _add(name, "AROON", ("high", "low"), "high", i, timeperiod=25)
for n in (14, 60):
    _add(f"slope_{n}", "LINEARREG_SLOPE", ("close",), "close", timeperiod=n)
_add("trend_fit_20", "CORREL", ("close", "clock"), "close", timeperiod=20)
for n in (7, 14, 21):
    _add(f"rsi_{n}", "RSI", ("close",), "close", timeperiod=n)
_add("stochastic_14", "STOCHF", HLC, "close", fastk_period=14, fastd_period=3)
for i, name in enumerate(("stochastic_slow_14", "stochastic_signal_14")):
    _add(name, "STOCH", HLC, "close", i, fastk_period=14, slowk_period=3, slowd_period=3)
_add("cci_20", "CCI", HLC, "close", timeperiod=20)
_add("chande_14", "CMO", ("close",), "close", timeperiod=14)
_add("trix_15", "TRIX", ("close",), "close", timeperiod=15)
_add("ultimate_oscillator", "ULTOSC", HLC, "close", timeperiod1=7, timeperiod2=14, timeperiod3=28)
_add("donchian_55", "WILLR", HLC, "close", timeperiod=55)
for n in (7, 14, 21):
    _add(f"atr_share_{n}", "NATR", HLC, "close", timeperiod=n)
for n in (10, 20, 60):
    _add(f"realized_volatility_{n}", "STDDEV", ("change",), "change", timeperiod=n)
for i, name in ((0, "bollinger_20"), (2, "bollinger_width_20")):
    _add(name, "BBANDS", ("close",), "close", i, timeperiod=20)
_add("range_14", "TRANGE", HLC, "close")
_add("volume_ratio_20", "SMA", ("volume",), "volume", timeperiod=20)
_add("volume_score_60", "STDDEV", ("volume",), "volume", timeperiod=60)
_add("volume_variation_20", "STDDEV", ("volume",), "volume", timeperiod=20)
_add("on_balance_20", "OBV", ("close", "volume"), "close")
_add("money_flow_20", "AD", (*HLC, "volume"), "close")
_add("money_flow_index_14", "MFI", (*HLC, "volume"), "close", timeperiod=14)
_add("body", "BOP", ("open", *HLC), "open")
