"""What the ledger of a home told at some moment, told again by the ledger of another home."""

from collections.abc import Mapping

from farm.errors import BadInput
from farm.ledger.journal import FileJournal
from farm.ledger.ledger import Ledger
from farm.ledger.record import Trial
from farm.ledger.segment import BrokenChain, chain


def copy_history(home: str, to: str, heads: Mapping[str, str]) -> tuple[Trial, ...]:
    """Copy the segments of studies up to their heads into the ledger of a home that knows none of these studies.

    Parameters
    ----------
    heads
        Study -> the head it had at that moment, as `Told.heads` says it.

    Returns
    -------
    tuple of Trial
        The trials as they were told then.

    Raises
    ------
    BrokenChain
        A study's chain is damaged, or does not contain its head any more.
    BadInput
        The other home knows one of the studies.
    """
    trials: list[Trial] = []
    for study, head in sorted(heads.items()):
        contents = FileJournal(home, study).read(1)
        segments, problems = chain(study, contents)
        last = next((segment.number for segment in segments if segment.hash == head), None)
        if last is None:
            problems = [*problems, f"head {head} is not in the chain: segments up to it were removed or rewritten"]
        if problems or last is None:
            raise BrokenChain.study(study, problems)
        there = FileJournal(to, study)
        if there.read(1):
            raise BadInput(f"home {to} has a ledger of study {study!r} already; give a home that is empty")
        for number, content in contents[:last]:
            there.append(number, content)
        trials += Ledger(to, study).replay()
    return tuple(trials)
