"""The layouts that Farm reads, each as its vendor describes it."""

from collections.abc import Mapping
from types import MappingProxyType

from farm.data.layout import SINCE_MIDNIGHT, Column, Form, Layout
from farm.errors import BadInput
from farm.section import nearest

_OHLC = (
    Column(means="open", names=("open",)),
    Column(means="high", names=("high",)),
    Column(means="low", names=("low",)),
    Column(means="close", names=("close",)),
)
_OHLCV = (*_OHLC, Column(means="volume", names=("volume",)))
_TIME = Column(means="time", names=("time",))

_MILLISECONDS = Form(
    what="milliseconds since 1970 (13 digits)", shape="[0-9]{13}", time_format="epoch_ms", instant=True
)
_MICROSECONDS = Form(
    what="microseconds since 1970 (16 digits)", shape="[0-9]{16}", time_format="epoch_us", instant=True
)
_NANOSECONDS = Form(what="nanoseconds since 1970 (19 digits)", shape="[0-9]{19}", time_format="epoch_ns", instant=True)
_ISO_WITH_ZONE = Form(
    what="ISO 8601 with a zone",
    shape=r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)",
    time_format="iso",
    instant=True,
)
_COMPACT_MINUTES = Form(what="yyyyMMdd HHmmss", shape=r"\d{8} \d{6}", time_format="%Y%m%d %H%M%S", timeframe="1min")

BINANCE = Layout(
    name="binance",
    title="Binance klines, spot and futures (csv, zip)",
    source="https://github.com/binance/binance-public-data#klines",
    delimiter=",",
    header="maybe",
    columns=(
        Column(means="time", names=("open_time", "open time")),
        *_OHLCV,
        Column(means="unused", names=("close_time", "close time")),
        Column(means="extra", names=("quote_volume", "quote asset volume")),
        Column(means="extra", names=("trades", "count", "number of trades")),
        Column(means="extra", names=("taker_buy_volume", "taker buy base asset volume")),
        Column(means="unused", names=("taker_buy_quote_volume", "taker buy quote asset volume")),
        Column(means="unused", names=("ignore",)),
    ),
    forms=(_MILLISECONDS, _MICROSECONDS),  # spot files count microseconds from 2025-01-01 on
)

NINJATRADER = Layout(
    name="ninjatrader",
    title="NinjaTrader text, minutes or days",
    source="https://ninjatrader.com/support/helpGuides/nt8/importing.htm",
    delimiter=";",
    header="never",
    columns=(_TIME, *_OHLCV),
    forms=(
        _COMPACT_MINUTES,
        Form(what="yyyyMMdd", shape=r"\d{8}", time_format="%Y%m%d", date_alone=True, timeframe="1d"),
    ),
    stamps=("close", "open"),  # it also imports times that are the start of a bar; its exports are ends, in UTC
    zone="UTC",
)

HISTDATA = Layout(
    name="histdata",
    title="HistData generic ASCII, one-minute bars of bids (csv, zip)",
    source="https://www.histdata.com/f-a-q/data-files-detailed-specification/",
    delimiter=";",
    header="never",
    columns=(_TIME, *_OHLCV),
    forms=(_COMPACT_MINUTES,),
    zone="Etc/GMT+5",  # Eastern Standard Time without daylight saving, five hours behind UTC all year
)

MT5 = Layout(
    name="mt5",
    title="MetaTrader 5, Export Bars (tab-separated)",
    source="https://www.metatrader5.com/en/terminal/help/trading_advanced/custom_instruments",
    delimiter="\t",
    header="always",
    columns=(
        Column(means="time", names=("date",)),
        Column(means="time", names=("time",), optional=True),
        *_OHLC,
        Column(means="volume", names=("tickvol",)),
        Column(means="extra", names=("real_volume", "vol")),
        Column(means="extra", names=("spread",)),
    ),
    forms=(
        Form(what="yyyy.MM.dd HH:mm:ss", shape=r"\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d", time_format="%Y.%m.%d %H:%M:%S"),
        Form(what="yyyy.MM.dd", shape=r"\d{4}\.\d\d\.\d\d", time_format="%Y.%m.%d", date_alone=True, timeframe="1d"),
    ),
)

DATABENTO = Layout(
    name="databento",
    title="Databento ohlcv schemas as CSV (csv, zst)",
    source="https://databento.com/docs/schemas/ohlcv",
    delimiter=",",
    header="always",
    columns=(
        Column(means="time", names=("ts_event",)),
        *_OHLCV,
        Column(means="symbol", names=("symbol",), optional=True),
        Column(means="instrument", names=("instrument_id",), optional=True),
    ),
    forms=(_NANOSECONDS, _ISO_WITH_ZONE),
    fixed_point=1e9,
)

YFINANCE = Layout(
    name="yfinance",
    title="yfinance, daily (Yahoo's columns)",
    source="https://ranaroussi.github.io/yfinance/advanced/price_adjustment.html",
    delimiter=",",
    header="always",
    columns=(
        Column(means="time", names=("date",)),
        *_OHLCV,
        Column(means="adjusted", names=("adj close", "adj_close"), optional=True),
    ),
    forms=(
        Form(what="yyyy-MM-dd", shape=r"\d{4}-\d\d-\d\d", time_format="%Y-%m-%d", date_alone=True, timeframe="1d"),
        Form(
            what="midnight with a zone",
            shape=r"\d{4}-\d\d-\d\d 00:00:00[+-]\d\d:?\d\d",
            time_format="%Y-%m-%d",
            kept=10,
            date_alone=True,
            timeframe="1d",
        ),
    ),
    advice="a table with a line of tickers below its header is written flat by yf.download(…, multi_level_index=False)",
)

LEAN = Layout(
    name="lean",
    title="LEAN trade bars of equities (zip)",
    source="https://github.com/QuantConnect/Lean/blob/master/Data/equity/readme.md",
    delimiter=",",
    header="never",
    columns=(_TIME, *_OHLCV),
    forms=(
        Form(what="milliseconds since midnight", shape=r"\d{1,8}", time_format=SINCE_MIDNIGHT),
        Form(what="yyyyMMdd HH:mm", shape=r"\d{8} \d\d:\d\d", time_format="%Y%m%d %H:%M"),
    ),
    zone="America/New_York",
    divisor=10_000.0,
    advice="LEAN's quote bars have eleven columns and are not read",
)

LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {layout.name: layout for layout in (BINANCE, DATABENTO, HISTDATA, LEAN, MT5, NINJATRADER, YFINANCE)}
)


def layout_of(name: str) -> Layout:
    """The layout of a name; `BadInput` names the nearest one and all there are.

    >>> layout_of("histdata").zone
    'Etc/GMT+5'
    """
    if name not in LAYOUTS:
        raise BadInput(f"layout {name!r} is not known; {nearest(name, LAYOUTS)}")
    return LAYOUTS[name]
