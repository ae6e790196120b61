"""The ledger: the hash-chained journal of every trial that was ever started, from which all counts come.

The laws, which the tests quote by number:

1. Append-only. A segment, once written, is never changed or removed; what is said later is a further segment.
2. Start before fit. A trial is recorded before its first fit is dispatched; nothing can end that was not started.
3. One writer per study. Segments are numbered without gaps and made exclusively: of two writers at one number one
   fails, by name, and has recorded nothing.
4. Finished is immutable. No later record takes back a finish or its returns. The same trial finishing with other
   returns (code or data changed) is a further record, and both stay visible.
5. The same identity is the same trial, in every run, experiment and study; started again it appends nothing, unless it
   is now a candidate or evaluated on a longer span. A trial that was ever a candidate is a candidate.
6. Every started trial counts: failed, killed, abandoned and retried ones like any other.
7. State is derived. Nothing is stored but the records; replaying them gives every trial's state, and the same records
   give the same state.
8. Counts know no time and no place. No clock, host or executor enters a trial's record, and who is counted does not
   depend on the order in which trials ended.
9. Tampering shows. Each segment holds the hash of the one before it and ends in its own; the last hash, the head, is
   kept outside the ledger (in the run's manifest), so that a shortened or rewritten chain shows as well.
10. A lockbox is opened once. A look at a sealed span is recorded, with its time, before it is taken; a later look at
    any moment of it, by whatever study, is refused without a reason, and recorded with it. A look at a pool is one at
    each of its symbols.
"""

from farm.ledger.count import Told, all_trials, candidates_over, told, trials_on
from farm.ledger.history import copy_history
from farm.ledger.journal import FileJournal, Journal, MemoryJournal, studies
from farm.ledger.ledger import Ledger
from farm.ledger.life import LifeCount, life_counts
from farm.ledger.lockbox import open_lockbox, openings
from farm.ledger.record import LockboxOpening, Role, Status, Trial, TrialEnd, TrialStart
from farm.ledger.segment import BrokenChain, SecondWriter

__all__ = [
    "BrokenChain",
    "FileJournal",
    "Journal",
    "Ledger",
    "LifeCount",
    "LockboxOpening",
    "MemoryJournal",
    "Role",
    "SecondWriter",
    "Status",
    "Told",
    "Trial",
    "TrialEnd",
    "TrialStart",
    "all_trials",
    "candidates_over",
    "copy_history",
    "life_counts",
    "open_lockbox",
    "openings",
    "studies",
    "told",
    "trials_on",
]
