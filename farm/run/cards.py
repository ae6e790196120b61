"""The provenance cards of a run's data: kept in its manifest, so that every result says where its bars come from."""

from pathlib import Path
from typing import Any

from farm.bars import SyntheticBars
from farm.config import Experiment
from farm.data import card_path, read_card
from farm.errors import BadInput


def cards_of(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """Symbol -> the card beside its local data file, as JSON-able values; symbols whose file has none are left out.

    A card that cannot be read, or that is of a file of another size, is told by ``problem`` and stops nothing: a run's
    numbers come from the bars, which have a fingerprint of their own.
    """
    cards = {}
    for symbol in experiment.bars.symbols:
        bars = experiment.of(symbol).bars
        if isinstance(bars, SyntheticBars):
            continue
        data = Path(bars.file(symbol))
        card = card_path(data)
        if data.is_file() and card.is_file():
            cards[symbol] = {"path": str(card), **_told(data, card)}
    return cards


def _told(data: Path, card: Path) -> dict[str, Any]:
    try:
        told = read_card(card)
    except BadInput as error:
        return {"problem": str(error)}
    size = data.stat().st_size
    differs = {"problem": f"it is of a file of {told.size} bytes, and {data} has {size}"} if size != told.size else {}
    return {**differs, **told.model_dump(mode="json")}
