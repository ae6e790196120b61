"""``farm check``: is an experiment with its data, or a data file alone, fit to be used."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from farm.bars import CsvBars, Loaded, ParquetBars, instrument_for
from farm.config import Experiment
from farm.errors import BadInput
from farm.models import installed
from farm.run.driver import check_before_work
from farm.run.prepare import describe, panel_key

_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".txt", ".gz", ".bz2", ".xz", ".zst", ".zip")


def check(experiment: Experiment) -> Iterator[str]:
    """A line for all that is in order with an experiment and its data; BadInput at the first thing that is not."""
    check_before_work(experiment, installed())
    yield f"the experiment {experiment.name} is well formed"
    for symbol in experiment.bars.symbols:
        loaded = experiment.bars.read(symbol)
        panel = experiment.panel.build(loaded.bars, loaded.instrument.calendar)
        study = describe(experiment, loaded, panel, panel_key(experiment, loaded))
        yield f"{symbol}: {_rows(loaded)}; {study.n_events:,} decisions with {study.n_features} features"
        for suspect in study.about["suspicious_features"]:
            yield (
                f"{symbol}: feature {suspect['name']} probably knows the future: alone it separates up from down with "
                f"an AUC of {suspect['auc']:.2f}"
            )


def check_data(file: Path, **reading: str | None) -> str:
    """What a data file holds, where all of it is in order.

    Parameters
    ----------
    file
        A CSV or Parquet file of one symbol; its name without ending stands for the symbol.
    reading
        What the file does not say of itself: ``timeframe`` and ``stamp``, and where they are needed ``zone``,
        ``time_format`` and ``instrument``, as in the ``bars`` section of an experiment. None: not said.

    Raises
    ------
    BadInput
        Something is not said, or the file breaks the contract of bars; the message names the row and the rule.
    """
    for needed in ("timeframe", "stamp"):
        if reading.get(needed) is None:
            raise BadInput(
                f"{file}: a data file does not say its {needed}; give --timeframe (such as 1min) and --stamp (open or "
                "close), or check the experiment that reads the file"
            )
    symbol = file.name.partition(".")[0]
    source = _source(file, symbol, {name: value for name, value in reading.items() if value is not None})
    try:
        instrument_for(symbol, source.instruments)
    except BadInput as error:
        raise BadInput(f"{file}: {error}. Here: --instrument NAME") from error
    loaded = source.read(symbol)
    holes = len(loaded.report.holes)
    return f"{file}: {_rows(loaded)}; {holes} hole{'' if holes == 1 else 's'} in the data"


def _source(file: Path, symbol: str, said: dict[str, str]) -> ParquetBars | CsvBars:
    kinds: dict[str, type[ParquetBars | CsvBars]] = dict.fromkeys(_PARQUET, ParquetBars) | dict.fromkeys(_CSV, CsvBars)
    kind = kinds.get(file.suffix.lower())
    if kind is None or file.is_dir():
        raise BadInput(
            f"{file}: is not a file that can be checked; give an experiment (.yaml), CSV ({', '.join(_CSV)}) or "
            f"Parquet ({', '.join(_PARQUET)})"
        )
    instrument = said.pop("instrument", None)
    section: dict[str, Any] = {"path": str(file), "symbols": [symbol], **said}
    try:
        return kind.model_validate({**section, "instruments": {symbol: instrument} if instrument else {}})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = str(first["loc"][0]).replace("_", "-")
        raise BadInput(f"--{option} {first['input']}: {first['msg'].removeprefix('Value error, ')}") from error


def _rows(loaded: Loaded) -> str:
    report = loaded.report
    return (
        f"{report.bars:,} of {report.rows:,} rows are bars of {loaded.instrument.name} in {report.sessions:,} sessions "
        f"and {report.segments} segment{'' if report.segments == 1 else 's'}; {report.outside_session:,} outside "
        f"sessions dropped, {len(report.quarantined)} quarantined"
    )
