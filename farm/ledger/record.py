"""What the ledger records, and the trial that follows from its records."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

Role = Literal["candidate", "baseline", "ablation", "sentinel"]
Outcome = Literal["finished", "failed", "killed"]
Status = Literal["started", "finished", "failed", "killed"]


@dataclass(frozen=True)
class TrialStart:
    """A trial about to be fitted.

    ``identity`` digests what makes it this trial (symbol, recipe, model or stack, parameters) and nothing of when,
    where or in which run. ``start`` and ``end`` are the first and last moment of the evaluated span, ns UTC, both
    included. ``params`` is JSON text; a trial on a pool names its symbols there, under ``pool``. ``experiment`` and
    ``run`` say where the trial came from.
    """

    identity: str
    name: str
    role: Role
    symbol: str
    instrument: str
    start: int
    end: int
    params: str = "{}"
    experiment: str = ""
    run: str = ""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols whose data it looked at: its own one or, on a pool, all of the pool's.

        >>> TrialStart("c0ffee", "deep", "candidate", "pool", "index", 10, 20, '{"pool": ["DAX", "NIFTY"]}').symbols
        ('DAX', 'NIFTY')
        """
        named = json.loads(self.params).get("pool", ()) if '"pool"' in self.params else ()
        return tuple(named) or (self.symbol,)

    def __post_init__(self) -> None:
        for field in ("identity", "name", "symbol"):
            if not getattr(self, field):
                raise ValueError(f"trial {self.name!r}: {field} is empty; give it a value")
        if self.role not in get_args(Role):
            raise ValueError(f"trial {self.name!r}: role {self.role!r} is not one of {', '.join(get_args(Role))}")
        # Spans come from arrays of times; JSON knows plain integers only.
        object.__setattr__(self, "start", int(self.start))
        object.__setattr__(self, "end", int(self.end))
        if self.start > self.end:
            raise ValueError(
                f"trial {self.name!r}: start {self.start} is after end {self.end}; give the span in ns, UTC"
            )
        try:
            json.loads(self.params)
        except ValueError as error:
            raise ValueError(f"trial {self.name!r}: params {self.params!r} is not JSON text; use json.dumps") from error


@dataclass(frozen=True)
class TrialEnd:
    """How a started trial ended: ``returns_key`` is the store key of its returns, ``reason`` why it has none."""

    identity: str
    status: Outcome
    returns_key: str | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.status not in get_args(Outcome):
            raise ValueError(
                f"trial {self.identity}: status {self.status!r} is not one of {', '.join(get_args(Outcome))}"
            )
        if self.returns_key is not None and self.status != "finished":
            raise ValueError(
                f"trial {self.identity}: a {self.status} trial has no returns, yet returns_key is {self.returns_key!r}"
            )


@dataclass(frozen=True)
class LockboxOpening:
    """One look at the sealed span of a symbol or of a pool, recorded before it is made.

    ``start`` and ``end`` are the first and last moment of the span, ``opened_at`` is when, all ns UTC. ``trial`` and
    ``run`` say for whom. ``reason`` is why it was opened although it had been opened before; empty the first time.
    ``pool`` has the symbols of a pool.
    """

    symbol: str
    start: int
    end: int
    trial: str
    run: str
    opened_at: int
    reason: str = ""
    pool: tuple[str, ...] = ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that were looked at: its own one or, on a pool, all of the pool's."""
        return self.pool or (self.symbol,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pool", tuple(self.pool))  # JSON knows lists only
        for field in ("symbol", "trial", "run"):
            if not getattr(self, field):
                raise ValueError(f"lockbox of {self.symbol!r}: {field} is empty; give it a value")
        for field in ("start", "end", "opened_at"):
            object.__setattr__(self, field, int(getattr(self, field)))
        if self.start > self.end:
            raise ValueError(
                f"lockbox of {self.symbol!r}: start {self.start} is after end {self.end}; give the span in ns, UTC"
            )

    def overlaps(self, other: "LockboxOpening") -> bool:
        """Whether both looked at the same moment of the same symbol, alone or in a pool."""
        same = not set(self.symbols).isdisjoint(other.symbols)
        return same and self.start <= other.end and other.start <= self.end


TrialRecord = TrialStart | TrialEnd
Record = TrialRecord | LockboxOpening
_KINDS: dict[str, type[Record]] = {"start": TrialStart, "end": TrialEnd, "lockbox": LockboxOpening}


@dataclass(frozen=True)
class Trial:
    """A trial as its records tell it.

    ``begun`` is its first start, with the role and the span that all its starts amount to. ``ends`` are the different
    ends it came to, in the order they were recorded.
    """

    study: str
    begun: TrialStart
    ends: tuple[TrialEnd, ...] = ()

    @property
    def identity(self) -> str:
        """The trial's identity."""
        return self.begun.identity

    @property
    def role(self) -> Role:
        """``candidate`` if it ever was one, else its first role."""
        return self.begun.role

    @property
    def status(self) -> Status:
        """``finished`` if it ever finished, else its last end; ``started`` where none is recorded."""
        if any(end.status == "finished" for end in self.ends):
            return "finished"
        return self.ends[-1].status if self.ends else "started"

    @property
    def returns(self) -> tuple[str, ...]:
        """Store keys of all different returns it finished with, first recorded first."""
        return tuple(end.returns_key for end in self.ends if end.returns_key is not None)

    @property
    def returns_key(self) -> str | None:
        """Store key of the returns it finished with last; None where it has none."""
        return self.returns[-1] if self.returns else None

    def started_again(self, start: TrialStart) -> "Trial":
        """The trial with what another start of it adds: the candidate's role, a longer span; itself where nothing."""
        if start.symbol != self.begun.symbol:
            raise ValueError(
                f"trial {self.identity} is on {self.begun.symbol!r}, not on {start.symbol!r}; "
                "let the identity digest the symbol"
            )
        joined = replace(
            self.begun,
            role="candidate" if start.role == "candidate" else self.role,
            start=min(self.begun.start, start.start),
            end=max(self.begun.end, start.end),
        )
        return self if joined == self.begun else replace(self, begun=joined)

    def ended(self, end: TrialEnd) -> "Trial":
        """The trial with one more end; itself where it ended so before."""
        return self if end in self.ends else replace(self, ends=(*self.ends, end))


def after(study: str, known: Trial | None, record: TrialRecord) -> Trial:
    """The trial after one more record of it; ``known`` itself where the record is no news."""
    if isinstance(record, TrialStart):
        return known.started_again(record) if known else Trial(study, record)
    if known is None:
        raise ValueError(f"trial {record.identity} ended and was never started in study {study!r}; start it first")
    return known.ended(record)


def replayed(study: str, records: Iterable[Record], trials: Mapping[str, Trial]) -> dict[str, Trial]:
    """The trials by identity, in the order of their first start, after the records were told on top of ``trials``."""
    told = dict(trials)
    for record in records:
        if isinstance(record, LockboxOpening):
            continue
        told[record.identity] = after(study, told.get(record.identity), record)
    return told


def to_json(record: Record) -> dict[str, Any]:
    """The record as a JSON object, with its kind under ``record``."""
    kind = next(name for name, kind in _KINDS.items() if isinstance(record, kind))
    return {"record": kind, **asdict(record)}


def from_json(value: dict[str, Any]) -> Record:
    """The record of a JSON object; TypeError, KeyError or ValueError where it is not one."""
    fields = dict(value)
    return _KINDS[fields.pop("record")](**fields)
