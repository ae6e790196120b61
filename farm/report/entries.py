"""The trials of a run as the report lists them: candidates, what stands beside them, and what failed to fit."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from farm.report.read import Json, RunFiles
from farm.report.wording import counted, listed, number, percent

Standing = Literal["PASS", "FAIL", "INSUFFICIENT", "BASELINE", "ABLATION", "SENTINEL", "NO RESULT"]
_RANK = {"PASS": 0, "FAIL": 1, "INSUFFICIENT": 2, "NO RESULT": 3}


@dataclass(frozen=True, eq=False)
class Entry:
    """One trial of one study; ``about`` is its part of the summary, empty for a trial that failed to fit.

    ``needed`` is the deflated probability that the study's level asks for.
    """

    study: int
    number: int
    symbol: str
    trial: str
    role: str
    standing: Standing
    reasons: tuple[str, ...]
    needed: float
    pbo: float | None
    about: Json

    @property
    def key(self) -> str:
        """What scripts of the page call this trial within its study: never its name, which a person chose."""
        return f"t{self.number}"

    @property
    def evidence(self) -> Json:
        """What the statistics say of it; empty for what gets no verdict."""
        return self.about.get("evidence", {})

    @property
    def sharpe(self) -> float | None:
        """The annual Sharpe ratio of its headline series."""
        return self.about.get("metrics", {}).get("sharpe")

    @property
    def regimes(self) -> list[Json]:
        """Its results by regime, where the run has any."""
        return self.about.get("by_regime") or []

    @property
    def deflated(self) -> float | None:
        """The verdict's probability that its edge is real."""
        return self.evidence.get("deflated")


@dataclass(frozen=True, eq=False)
class Entries:
    """All trials of a run: ``candidates`` nearest to passing first, ``others`` in the order of the studies."""

    candidates: tuple[Entry, ...]
    others: tuple[Entry, ...]

    def of_study(self, study: int) -> "Entries":
        """The trials of one study."""
        return Entries(
            tuple(entry for entry in self.candidates if entry.study == study),
            tuple(entry for entry in self.others if entry.study == study),
        )

    def by_study(self, n_studies: int) -> list["Entries"]:
        """The trials study by study."""
        grouped: list[tuple[list[Entry], list[Entry]]] = [([], []) for _ in range(n_studies)]
        for at, entries in enumerate((self.candidates, self.others)):
            for entry in entries:
                grouped[entry.study][at].append(entry)
        return [Entries(tuple(candidates), tuple(others)) for candidates, others in grouped]


def entries_of(files: RunFiles) -> Entries:
    """Every trial of the run, also those of which there is no result."""
    lost = _without_result(files)
    candidates: list[Entry] = []
    others: list[Entry] = []
    for number_, study in enumerate(files.studies):
        rows: list[tuple[str, str, Standing, Sequence[str], Json]] = [
            (about["trial"], "candidate", about["verdict"], about["reasons"], about) for about in study["candidates"]
        ]
        rows += [(about["trial"], about["role"], about["role"].upper(), (), about) for about in study["others"]]
        rows += [(name, role, "NO RESULT", why, {}) for name, role, why in lost[study["symbol"]]]
        for at, (trial, role, standing, reasons, about) in enumerate(rows):
            entry = Entry(
                study=number_,
                number=at,
                symbol=study["symbol"],
                trial=trial,
                role=role,
                standing=standing,
                reasons=tuple(reasons),
                needed=1 - study["level"],
                pbo=study["overfitting"]["pbo"],
                about=about,
            )
            (candidates if role == "candidate" else others).append(entry)
    candidates.sort(key=_nearness)
    return Entries(tuple(candidates), tuple(others))


@dataclass(frozen=True)
class Shared:
    """Candidates of one study with one standing and the same reasons."""

    study: int
    symbol: str
    standing: Standing
    trials: tuple[str, ...]
    reasons: tuple[str, ...]


def shared_reasons(candidates: Sequence[Entry]) -> list[Shared]:
    """The reasons of all candidates, those with the same ones told once."""
    grouped: dict[tuple[int, str, Standing, tuple[str, ...]], list[str]] = defaultdict(list)
    for entry in candidates:
        grouped[entry.study, entry.symbol, entry.standing, entry.reasons].append(entry.trial)
    return [
        Shared(study, symbol, standing, tuple(trials), reasons)
        for (study, symbol, standing, reasons), trials in grouped.items()
    ]


def statement(candidates: Sequence[Entry]) -> str:
    """The run's verdict in one sentence."""
    standings = [entry.standing for entry in candidates]
    passed = [f"{entry.trial} on {entry.symbol}" for entry in candidates if entry.standing == "PASS"]
    total = counted(len(candidates), "candidate")
    if passed:
        return f"{len(passed):,} of {total} passed: {listed(passed)}."
    judged = standings.count("FAIL")
    if not judged:
        return "Nothing could be judged: the evidence does not suffice for any candidate."
    if judged < len(standings):
        return f"Nothing passed: of {total} {judged:,} failed and {len(standings) - judged:,} could not be judged."
    if judged == 1:
        return "Nothing passed: the one candidate shows no edge that survives the count of trials."
    return f"Nothing passed: none of the {total} shows an edge that survives the count of trials."


def nearest_miss(candidates: Sequence[Entry]) -> str | None:
    """How near the best judged candidate came, in one sentence; None when one passed or none has a probability."""
    judged = [entry for entry in candidates if entry.standing == "FAIL" and entry.deflated is not None]
    if not judged or any(entry.standing == "PASS" for entry in candidates):
        return None
    best = min(judged, key=lambda entry: entry.needed - (entry.deflated or 0))
    return (
        f"Nearest to passing was {best.trial} on {best.symbol}: an annual Sharpe ratio of {number(best.sharpe)} where "
        f"{number(best.evidence.get('required_sharpe'))} was required, and {percent(best.deflated)} probability of a "
        f"real edge where {percent(best.needed)} was needed."
    )


def _nearness(entry: Entry) -> tuple[Any, ...]:
    deflated = entry.deflated
    missing = 2.0 if deflated is None else entry.needed - deflated
    return (_RANK[entry.standing], missing, entry.study, entry.number)


def n_searched(studies: Sequence[Json]) -> int:
    """How many configurations searches tried: trials that count, of which the candidates are made."""
    return sum(len(_configurations(study)) for study in studies)


def _configurations(study: Json) -> list[Json]:
    return [one for search in (study.get("search") or {}).values() for one in search["configurations"]]


def _without_result(files: RunFiles) -> dict[str, list[tuple[str, str, list[str]]]]:
    told = {
        (study["symbol"], about["trial"])
        for study in files.studies
        for about in (*study["candidates"], *study["others"], *_configurations(study))
    }
    errors: dict[tuple[str, str], list[str]] = defaultdict(list)
    for failure in files.summary["failed_fits"]:
        errors[failure["symbol"], failure["trial"]].append(f"split {failure['split']}: {failure['error']}")
    lost: dict[str, list[tuple[str, str, list[str]]]] = defaultdict(list)
    for row in files.trials:
        symbol, trial = row["symbol"], row["trial"]
        if (symbol, trial) in told or (row["role"] == "sentinel" and row["status"] == "finished"):
            continue
        failed = errors.get((symbol, trial), [])
        why = (
            [f"{counted(len(failed), 'fit')} failed, the first at {failed[0]}"]
            if failed
            else ["one of its bases failed to fit"]
        )
        lost[symbol].append((trial, row["role"], why))
    return lost
