"""What the store says when a stored file cannot be what was written."""

from farm.errors import BadInput


class Damaged(BadInput):
    """A stored file is not what was written: cut short, overwritten or edited.

    Results can be made again: ``Store.discard`` the key, and compute it anew.
    """

    @classmethod
    def file(cls, place: str, found: str) -> "Damaged":
        """The error for the file at ``place``, saying what was found in it."""
        return cls(f"stored file {place} is damaged: {found}; remove it and run again, and it is made anew")
