"""A catalogue: what the files of a folder are declared to be, to be held against what they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, field_validator

from farm.bars import Bars, BarSource, SyntheticBars
from farm.bars.compare import compare, stop_where_they_disagree
from farm.bars.load import Loaded
from farm.bars.source import FileBars
from farm.config.document import read_document
from farm.config.fault import sentences
from farm.errors import BadInput
from farm.section import Section

DATA_ENDINGS = (".parquet", ".pq", ".csv", ".txt", ".gz", ".bz2", ".xz", ".zst", ".zip")

_SOURCES: TypeAdapter[Any] = TypeAdapter(BarSource)

Status = Literal["accepted", "refused as declared", "refused", "not refused", "not declared", "missing"]
IN_ORDER: tuple[Status, ...] = ("accepted", "refused as declared")


class Declaration(Section):
    """What some files of a folder are.

    ``files`` are patterns (``*``, ``?``) of paths inside the folder. ``bars`` is the ``bars`` section of an experiment
    without ``path`` and ``symbols``: a file's path without its ending is its symbol, and the values of a long file's
    ``symbol_column`` are its symbols; ``symbols`` may name some of them. ``instrument`` is for all of them.
    ``compare_with`` is a file of the same instrument, declared somewhere in the catalogue, whose clock must agree.
    ``refused`` holds words of the message with which the file must be refused as it is declared here. ``note`` says
    why.
    """

    files: tuple[str, ...] = Field(min_length=1)
    bars: dict[str, Any]
    symbols: tuple[str, ...] = ()
    instrument: str | None = None
    compare_with: str | None = None
    refused: tuple[str, ...] = ()
    note: str = ""

    @field_validator("bars")
    @classmethod
    def _makes_a_source(cls, bars: dict[str, Any]) -> dict[str, Any]:
        given = sorted({"path", "symbols"} & set(bars))
        if given:
            raise ValueError(f"{' and '.join(given)} follow from the files; leave them out")
        symbols = sorted({"SYMBOL", *bars.get("adjustments", {}), *bars.get("instruments", {})})
        try:
            source = _SOURCES.validate_python({**bars, "path": "{symbol}", "symbols": symbols})
        except ValidationError as error:
            faults = [
                f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors(include_url=False)
            ]
            raise ValueError("; ".join(faults)) from error
        if isinstance(source, SyntheticBars):
            raise ValueError("synthetic markets have no file; declare csv, parquet or contracts")
        return bars

    def fits(self, file: str) -> bool:
        """Whether a path inside the folder is one of the declared."""
        return any(fnmatchcase(file, pattern) for pattern in self.files)

    def source(self, folder: Path, file: str) -> FileBars:
        """The bars section of one file, for all the symbols in it."""
        symbol, ending = split_ending(file)
        one = self._source(str(folder / f"{{symbol}}{ending}"), (symbol,))
        if one.symbol_column is None:
            return one
        return self._source(str(folder / file), self.symbols or one.symbols_in(symbol))

    def _source(self, path: str, symbols: tuple[str, ...]) -> FileBars:
        named = {
            key: {each: self.bars.get(key, {})[each] for each in symbols if each in self.bars.get(key, {})}
            for key in _NAMED
        }
        if self.instrument is not None:
            named["instruments"] = dict.fromkeys(symbols, self.instrument)
        source: FileBars = _SOURCES.validate_python({**self.bars, **named, "path": path, "symbols": symbols})
        return source


_NAMED = ("adjustments", "instruments")


class Catalogue(Section):
    """What the files of a folder are declared to be."""

    declarations: tuple[Declaration, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Found:
    """What came of one file under one declaration: its bars by symbol where they were accepted, else the reason."""

    file: str
    status: Status
    reason: str = ""
    note: str = ""
    loaded: tuple[Loaded, ...] = ()


def read_catalogue(path: Path) -> Catalogue:
    """The catalogue that a YAML file describes; `BadInput` names the file and line of what is wrong in it."""
    document = read_document(path)
    try:
        return Catalogue.model_validate(document.values)
    except ValidationError as error:
        raise BadInput("\n".join(sentences(document, error))) from error


def check_folder(folder: Path, catalogue: Catalogue) -> Iterator[Found]:
    """What came of every data file of a folder and its folders, in the order of their names.

    A file that fits several declarations is checked under each, one that fits none is named; so is a declared pattern
    that fits no file. Files whose endings are not those of data are passed over.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder}: is no folder; --declared is for a folder of data files")
    files = data_files(folder)
    for declaration in catalogue.declarations:
        for pattern in declaration.files:
            if not any(fnmatchcase(file, pattern) for file in files):
                yield Found(pattern, "missing", "a declared file that is not in the folder")
    for file in files:
        mine = [declaration for declaration in catalogue.declarations if declaration.fits(file)]
        if not mine:
            yield Found(file, "not declared", "no declaration says what its bars are")
        for declaration in mine:
            yield from _held_against(declaration, catalogue, folder, file)


def data_files(folder: Path) -> list[str]:
    """The data files of a folder and its folders, as paths inside it."""
    every = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in DATA_ENDINGS)
    return [path.relative_to(folder).as_posix() for path in every]


def split_ending(file: str) -> tuple[str, str]:
    """A path without its endings, and the endings.

    >>> split_ending("daily/ZICOM_raw.csv.gz")
    ('daily/ZICOM_raw', '.csv.gz')
    """
    ending = "".join(each for each in Path(file).suffixes if each.lower() in DATA_ENDINGS)
    return file.removesuffix(ending), ending


def _held_against(declaration: Declaration, catalogue: Catalogue, folder: Path, file: str) -> Iterator[Found]:
    loaded: list[Loaded] = []
    reasons: list[str] = []
    try:
        source = declaration.source(folder, file)
        other = declaration.compare_with and _bars_beside(declaration.compare_with, catalogue, folder)
        for symbol in source.symbols:
            try:
                one = source.read(symbol)
                if other:
                    stop_where_they_disagree(file, compare(one.bars, other), other.symbol)
                loaded.append(one)
            except BadInput as error:
                reasons.append(str(error))
    except BadInput as error:
        reasons.append(str(error))
    for reason in reasons:
        expected = declaration.refused and all(words in reason for words in declaration.refused)
        yield Found(file, "refused as declared" if expected else "refused", reason, declaration.note)
    if declaration.refused and not reasons:
        words = ", ".join(declaration.refused)
        yield Found(file, "not refused", f"was declared to be refused with the words: {words}")
    elif loaded:
        yield Found(file, "accepted", "", declaration.note, tuple(loaded))


def _bars_beside(file: str, catalogue: Catalogue, folder: Path) -> Bars:
    """The bars of a file to compare with, read as its first declaration says."""
    mine = [each for each in catalogue.declarations if each.fits(file)]
    if not mine or not (folder / file).is_file():
        raise BadInput(f"compare_with {file}: is not in the folder, or not declared; declare that file, too")
    source = mine[0].source(folder, file)
    return source.read(source.symbols[0]).bars
