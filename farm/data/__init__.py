"""Data care: files of vendors imported with a card, and what a data file holds described."""

from farm.data.card import Card, card_path, read_card
from farm.data.intake import Import, Imported, asked
from farm.data.layouts import LAYOUTS, layout_of

__all__ = ["LAYOUTS", "Card", "Import", "Imported", "asked", "card_path", "layout_of", "read_card"]
