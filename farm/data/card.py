"""The provenance card of a data set: where its bars come from, how they were read, and how an experiment reads them."""

import io
from hashlib import md5
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from farm.bars.adjusted import Prices
from farm.bars.check import OnBadRows
from farm.bars.stamp import Stamp
from farm.bars.timeframe import Timeframe
from farm.errors import BadInput
from farm.section import Section


class GivenFile(Section):
    """A vendor's file: its name, digest, size in bytes, and the rows of the symbol in it."""

    file: str
    sha256: str
    size: int
    rows: int


class DroppedRow(Section):
    """A row that ``on_bad_rows: quarantine`` left out: its file, number among the data rows, and the broken rule."""

    file: str
    row: int
    rule: str


class Reading(Section):
    """How the files were read. ``price_divisors`` are those of the files in order, one where all agree."""

    layout: str
    described_at: str
    timeframe: Timeframe
    stamp: Stamp
    zone: str | None
    prices: Prices | None
    price_divisors: tuple[float, ...]
    on_bad_rows: OnBadRows


class RowCounts(Section):
    """What became of the rows: ``read`` = ``written`` + ``dropped``."""

    read: int
    of_other_symbols: int
    dropped: int
    written: int


class Span(Section):
    """Opens of the first and the last bar, ISO 8601 in UTC."""

    first: str
    last: str


class Card(Section):
    """A data set's card; ``bars`` is the section of an experiment that reads it."""

    symbol: str
    file: str
    sha256: str
    size: int
    columns: tuple[str, ...]
    span: Span
    rows: RowCounts
    reading: Reading
    files: tuple[GivenFile, ...]
    dropped: tuple[DroppedRow, ...]
    source: str | None
    licence: str | None
    acquired: str | None
    farm: str
    bars: dict[str, Any]

    def text(self) -> str:
        """The card as YAML, the same bytes for the same card."""
        from ruamel.yaml import YAML

        yaml = YAML()
        yaml.default_flow_style = False
        yaml.width = 120
        into = io.StringIO()
        yaml.dump(self.model_dump(mode="json"), into)
        return into.getvalue()


def card_path(data: Path) -> Path:
    """Where the card of a data file lies: beside it.

    >>> card_path(Path("bars/BRK.B.parquet")).as_posix()
    'bars/BRK.B.card.yaml'
    """
    return data.with_suffix(".card.yaml")


def read_card(path: Path) -> Card:
    """The card in a file; `BadInput` names the file and what is wrong in it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return Card.model_validate(YAML(typ="safe").load(path))
    except (YAMLError, UnicodeError) as error:
        raise BadInput(f"{path}: not a YAML file: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BadInput(f"{path}: {where}: {first['msg']}; a card is written by farm data import") from error


def dvc_pointer(name: str, content: bytes) -> str:
    """The text of the ``.dvc`` file that DVC 3 writes for a file (DVC user guide, "`.dvc` files").

    >>> print(dvc_pointer("a.parquet", b"hello"), end="")
    outs:
    - md5: 5d41402abc4b2a76b9719d911017c592
      size: 5
      hash: md5
      path: a.parquet
    """
    digest = md5(content, usedforsecurity=False).hexdigest()
    return f"outs:\n- md5: {digest}\n  size: {len(content)}\n  hash: md5\n  path: {name}\n"
