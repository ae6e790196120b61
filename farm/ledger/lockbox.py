"""The sealed last span of a symbol or a pool: it may be looked at once, and a look is recorded before it is taken."""

from datetime import UTC, datetime

from farm.errors import BadInput
from farm.ledger.journal import studies
from farm.ledger.ledger import Ledger
from farm.ledger.record import LockboxOpening


def open_lockbox(home: str, study: str, opening: LockboxOpening) -> None:
    """Record a look at a lockbox; call it before the first bar of the sealed span is read.

    A span that any study of the home has looked at is open for all of them, since what was learned there cannot be
    forgotten: another look at any moment of it, for whatever trial, needs a reason. Who has looked at a pool has looked
    at each of its symbols, and the other way round.

    Parameters
    ----------
    home
        The home whose ledger records the opening.
    study
        The study, as its ledger is called (``<experiment>/<symbol>``).
    opening
        Whose span it is, and for which trial and run; ``reason`` where it was opened before.

    Raises
    ------
    BadInput
        The span was opened before and there is no reason; nothing is recorded then.
    ValueError
        There is a reason and nothing was opened before: a record must not say what is not so.
    SecondWriter
        Another run of the study records at the same time; nothing is recorded.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> open_lockbox(folder.name, "real/NIFTY", LockboxOpening("NIFTY", 100, 199, "boosted", "r1", opened_at=500))
    >>> openings(folder.name)[0].trial
    'boosted'
    >>> folder.cleanup()
    """
    earlier = [one for one in openings(home) if one.overlaps(opening)]
    if earlier and not opening.reason.strip():
        first = earlier[0]
        raise BadInput(
            f"lockbox of {opening.symbol}: {_whose(opening, first)} opened on {_day(first.opened_at)} for "
            f"{first.trial} of run {first.run}"
            + (f" and {len(earlier) - 1} more times" if len(earlier) > 1 else "")
            + "; what it says of "
            "a second trial is no evidence from unseen data. To look all the same, give a reason that stands in the "
            "ledger: --reopen REASON"
        )
    if opening.reason and not earlier:
        raise ValueError(f"lockbox of {opening.symbol}: it was never opened, yet a reason to reopen it is given")
    Ledger(home, study).note_opening(opening)


def openings(home: str) -> tuple[LockboxOpening, ...]:
    """Every look at a lockbox that the ledger of a home records, oldest first."""
    found = [one for study in studies(home) for one in Ledger(home, study).openings()]
    return tuple(sorted(found, key=lambda one: (one.opened_at, one.symbol)))


def _whose(opening: LockboxOpening, earlier: LockboxOpening) -> str:
    """What was opened earlier, as one says it of the lockbox that is asked for."""
    if opening.symbols == earlier.symbols:
        return "it was"
    if not opening.pool:
        return f"with those of a pool of {len(earlier.symbols)} symbols it was"
    shared = [symbol for symbol in opening.symbols if symbol in earlier.symbols]
    return f"that of {shared[0]}" + (f" and {len(shared) - 1} more of its symbols was" if shared[1:] else " was")


def _day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment / 1e9, UTC):%Y-%m-%d}"
