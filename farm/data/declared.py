"""A data file as a source of bars: by its card, and by what the user says beside or in place of it."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from farm.bars import CsvBars, ParquetBars
from farm.data.card import card_path, read_card
from farm.errors import BadInput

_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".txt", ".gz", ".bz2", ".xz", ".zst", ".zip")


def declared_bars(file: Path, **said: str | None) -> ParquetBars | CsvBars:
    """The source that reads one file; bad rows and jumps do not stop it but are listed, so that all can be described.

    ``said`` may hold ``timeframe``, ``stamp``, ``zone``, ``time_format``, ``prices`` and ``instrument``. A card of the
    file fills in what is not said; a card of other content is a `BadInput`, as is what neither says.
    """
    kinds: dict[str, type[ParquetBars | CsvBars]] = dict.fromkeys(_PARQUET, ParquetBars) | dict.fromkeys(_CSV, CsvBars)
    kind = kinds.get(file.suffix.lower())
    if file.is_dir() or kind is None:
        raise BadInput(f"{file}: is not a data file; give CSV ({', '.join(_CSV)}) or Parquet ({', '.join(_PARQUET)})")
    if not file.exists():
        raise BadInput(f"{file}: no such file")
    options = {name: value for name, value in said.items() if value is not None}
    section: dict[str, Any] = _carded(file) | options
    for needed in ("timeframe", "stamp"):
        if needed not in section:
            raise BadInput(
                f"{file}: a data file does not say its {needed}, and no card lies beside it; give --timeframe (such as "
                "1min) and --stamp (open or close)"
            )
    symbol = section.pop("symbol", file.name.partition(".")[0])
    instrument = section.pop("instrument", None)
    section |= {"path": str(file), "symbols": [symbol], "on_bad_rows": "quarantine", "jumps": "accept"}
    try:
        return kind.model_validate({**section, "instruments": {symbol: instrument} if instrument else {}})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = str(first["loc"][0]).replace("_", "-")
        raise BadInput(f"--{option} {first['input']}: {first['msg'].removeprefix('Value error, ')}") from error


def _carded(file: Path) -> dict[str, Any]:
    """What the card beside a file says of it; nothing where there is no card."""
    path = card_path(file)
    if not path.is_file():
        return {}
    card = read_card(path)
    if card.file != file.name:
        return {}
    if card.sha256 != sha256(file.read_bytes()).hexdigest():
        raise BadInput(
            f"{file}: is not the file that {path.name} describes, its content has changed; import it again, or take "
            "the card away and give --timeframe and --stamp"
        )
    said = {name: card.bars[name] for name in ("timeframe", "stamp")} | {"symbol": card.symbol}
    instruments = card.bars.get("instruments", {})
    return said | ({"instrument": instruments[card.symbol]} if card.symbol in instruments else {})
