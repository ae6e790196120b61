"""What a home's runs and its ledger still need of the store, and what nobody needs any more."""

import time
from collections.abc import Iterator, Sequence

from farm.errors import BadInput
from farm.ledger import told
from farm.run.folder import RunFolder, all_runs
from farm.run.judge import StudyJudged
from farm.run.plan import StudyPlan
from farm.store import Store, Stored

NEEDS = "needs.json"
LEAST_AGE = 3600.0
_KINDS = ("panels", "fits", "oof", "returns", "trial_returns")

Needs = dict[str, list[str]]


def needs_of(studies: Sequence[StudyPlan], judged: Sequence[StudyJudged] = ()) -> Needs:
    """Keys, by kind, of the results that a run of these studies is made of, as far as they are judged."""
    tables = sorted(one.key for one in judged)
    return {
        "panels": sorted({key for study in studies for key in study.prepared.stored_panels}),
        "fits": sorted(chunk.key for study in studies for chunk in study.chunks),
        "oof": tables,
        "returns": tables,
        "trial_returns": sorted(key for one in judged for key in one.returns_keys.values()),
    }


def unneeded(home: str, *, older_than: float) -> Iterator[Stored]:
    """Results that no run of the home and no record of its ledger needs, written ``older_than`` seconds ago or before.

    Only the large kinds of results that a run makes are looked at: panels, fits, tables, returns of trials. All that a
    run folder names is needed until that folder is removed, so that it resumes and its fits are reused; returns of
    trials are needed as long as the ledger names them, which is for ever. Drafts that killed writers left are unneeded
    whatever their kind; they have no key.

    Raises
    ------
    BadInput
        ``older_than`` is under an hour (a run under way may not have said yet what it needs), or a run does not say
        what it needs.
    """
    if older_than < LEAST_AGE:
        raise BadInput(
            f"--older-than: {older_than:g} s is too short; give 1h or more, since a run under way may not have said "
            "yet what it needs"
        )
    needed = {kind: set[str]() for kind in _KINDS}
    for folder in all_runs(home):
        for kind, keys in _said(folder).items():
            needed[kind].update(keys)
    needed["trial_returns"].update(key for trial in told(home).trials for key in trial.returns)
    store = Store(home)
    latest = time.time() - older_than
    for kind, wanted in needed.items():
        for result in store.stored(kind):
            if result.key not in wanted and _written_before(store, result, latest):
                yield result
    for kind in store.kinds():
        for draft in store.drafts(kind):
            if _written_before(store, draft, latest):
                yield draft


def older(store: Store, age: float) -> Iterator[Stored]:
    """Every result of a store that was written ``age`` seconds ago or before, and what killed writers left then."""
    latest = time.time() - age
    for kind in store.kinds():
        for result in (*store.stored(kind), *store.drafts(kind)):
            if _written_before(store, result, latest):
                yield result


def _written_before(store: Store, result: Stored, moment: float) -> bool:
    try:
        return store.written_at(result) <= moment
    except FileNotFoundError:  # whoever wrote it has removed it, or given it its name
        return False


def _said(folder: RunFolder) -> Needs:
    said = folder.read_json(NEEDS)
    if said is None:
        raise BadInput(
            f"{folder.place}: this run does not say which results it needs (it was stopped at its very beginning, or "
            "an older version made it), so nothing can be called unneeded; run its experiment again, or remove the "
            "folder"
        )
    return said
