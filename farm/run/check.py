"""``farm check``: is an experiment with its data, or a data file alone, fit to be used."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from farm.bars import CsvBars, Loaded, ParquetBars, instrument_for
from farm.bars.quirks import gaps, quirks
from farm.config import Experiment
from farm.errors import BadInput
from farm.models import installed
from farm.run.beforehand import check_before_work
from farm.run.catalogue import IN_ORDER, Found, check_folder, read_catalogue
from farm.run.panels import build_panels
from farm.run.pool import built_pool
from farm.run.prepare import PreparedStudy, describe

_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".txt", ".gz", ".bz2", ".xz", ".zst", ".zip")


def check(experiment: Experiment) -> Iterator[str]:
    """A line for all that is in order with an experiment and its data; BadInput at the first thing that is not."""
    check_before_work(experiment, installed())
    yield f"the experiment {experiment.name} is well formed"
    if experiment.pool is not None:
        yield from _pool(experiment)
        return
    for symbol in experiment.bars.symbols:
        own = experiment.of(symbol)
        try:
            loaded = own.bars.read(symbol)
            study = describe(own, loaded, build_panels(own, loaded, installed()))
        except BadInput as error:
            if own.bars.on_bad_symbol == "stop":
                raise
            yield f"{symbol}: will be skipped: {error}"
            continue
        yield f"{symbol}: {_rows(loaded)}; {study.n_events:,} decisions with {study.n_features} features"
        yield from _doubts(study)


def _pool(experiment: Experiment) -> Iterator[str]:
    study, _ = built_pool(experiment)
    for one in study.about["members"]:
        yield f"{one['symbol']}: {one['events']:,} decisions, {one['sealed']:,} more behind the pool's lockbox"
    n = len(study.members)
    yield f"{study.symbol}: {study.n_events:,} decisions of {n} symbols with {study.n_features} features"
    yield from _doubts(study)


def _doubts(study: PreparedStudy) -> Iterator[str]:
    if study.about["budget"]["warning"] is not None:
        yield f"{study.symbol}: warning: {study.about['budget']['warning']}"
    for suspect in study.about["suspicious_features"]:
        yield (
            f"{study.symbol}: feature {suspect['name']} probably knows the future: alone it separates up from down "
            f"with an AUC of {suspect['auc']:.2f}"
        )


def check_declared(folder: Path, declared: Path) -> Iterator[str]:
    """A line for every file of a folder under every declaration that a catalogue makes of it.

    A file that is refused as the catalogue says it must be is in order. BadInput after the last line where any is not.
    """
    found: list[Found] = []
    for each in check_folder(folder, read_catalogue(declared)):
        found.append(each)
        yield _line(each)
    wrong = [each for each in found if each.status not in IN_ORDER]
    counts = ", ".join(f"{sum(each.status == status for each in found)} {status}" for status in IN_ORDER)
    if wrong:
        raise BadInput(
            f"{folder}: {len(wrong)} of {len(found)} checks are not in order ({counts}): "
            f"{'; '.join(f'{each.file} {each.status}' for each in wrong)}. Correct the files, or what {declared} "
            "declares"
        )
    yield f"{folder}: {len({each.file for each in found})} files: {counts}"


def _line(found: Found) -> str:
    about = f" [{found.note}]" if found.note else ""
    if found.status != "accepted":
        return f"{found.file}: {found.status}: {found.reason}{about}"
    if len(found.loaded) == 1:
        return f"{found.file}: accepted: {_account(found.loaded[0])}{about}"
    return f"{found.file}: accepted: {_account_of_many(found.loaded)}{about}"


def _account_of_many(loaded: tuple[Loaded, ...]) -> str:
    reports = [each.report for each in loaded]
    odd = [f"{each.bars.symbol}: {', '.join(quirks(each))}" for each in loaded if quirks(each)]
    return (
        f"{len(loaded)} symbols; {sum(each.bars for each in reports):,} of {sum(each.rows for each in reports):,} rows "
        f"are bars of {', '.join(sorted({each.instrument.name for each in loaded}))}, {_span(loaded)}; "
        f"{sum(len(each.holes) for each in reports):,} holes in the data, "
        f"{sum(each.outside_session for each in reports):,} outside sessions dropped, "
        f"{sum(len(each.quarantined) for each in reports):,} quarantined; quirks: {'; '.join(odd) or 'none found'}"
    )


def _account(loaded: Loaded) -> str:
    return f"{_rows(loaded)}; {_span((loaded,))}; {gaps(loaded)}; quirks: {', '.join(quirks(loaded)) or 'none found'}"


def _span(loaded: tuple[Loaded, ...]) -> str:
    first = min(int(each.bars.open_time[0]) for each in loaded)
    last = max(int(each.bars.available_at[-1]) for each in loaded)
    start, end = (np.datetime64(time, "ns").astype("datetime64[m]") for time in (first, last))
    return f"{str(start).replace('T', ' ')} to {str(end).replace('T', ' ')} UTC"


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
    return f"{file}: {_account(loaded)}"


def _source(file: Path, symbol: str, said: dict[str, str]) -> ParquetBars | CsvBars:
    kinds: dict[str, type[ParquetBars | CsvBars]] = dict.fromkeys(_PARQUET, ParquetBars) | dict.fromkeys(_CSV, CsvBars)
    kind = kinds.get(file.suffix.lower())
    if file.is_dir():
        raise BadInput(
            f"{file}: is a folder; say what its files are by --declared CATALOGUE.yaml, such as "
            "experiments/catalogues/real.yaml, or name the files"
        )
    if kind is None:
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
