"""What the store says when a stored file is not what was written, and when the home itself fails."""

from farm.errors import BadInput, Failed


class Damaged(BadInput):
    """A stored file is not what was written: cut short, overwritten or edited.

    Results can be made again: ``Store.discard`` the key, and compute it anew.
    """

    @classmethod
    def file(cls, place: str, found: str) -> "Damaged":
        """The error for the file at ``place``, saying what was found in it."""
        return cls(f"stored file {place} is damaged: {found}; remove it and run again, and it is made anew")


class HomeFailed(Failed, OSError):  # noqa: N818  # it names what failed
    """The home could not be read or written though the request was right: a full disk, a dead or refusing store.

    What was stored before is whole and nothing is half written, so the same command goes on when the home is back.
    """

    @classmethod
    def at(cls, place: str, error: Exception) -> "HomeFailed":
        """The error for the file at ``place``, and what went wrong there."""
        said = str(error) or "no reason given"
        return cls(
            f"{place}: the home failed ({type(error).__name__}: {said}); nothing is half written, so give it space or "
            "bring it back, and run the same command again: it goes on where it stopped"
        )
