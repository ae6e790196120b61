"""Results by key, written once, on any filesystem: what makes resume free."""

from farm.store.arrays import Arrays
from farm.store.errors import Damaged
from farm.store.files import Files, files_of
from farm.store.store import Store

__all__ = ["Arrays", "Damaged", "Files", "Store", "files_of"]
