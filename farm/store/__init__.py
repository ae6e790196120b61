"""Results by key, written once, on any filesystem: what makes resume free."""

from farm.store.arrays import Arrays
from farm.store.errors import Damaged, HomeFailed
from farm.store.files import Files
from farm.store.home import files_of
from farm.store.local import LocalFiles, whole_file
from farm.store.store import Store, Stored

__all__ = ["Arrays", "Damaged", "Files", "HomeFailed", "LocalFiles", "Store", "Stored", "files_of", "whole_file"]
