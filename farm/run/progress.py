"""Progress of a run: a live bar in a terminal, a line every few seconds in a log, gauges on a dashboard.

All of them tell the same counts of a phase (panels, fits, studies), which `Counts` names.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_LINE_EVERY = 5.0
_TELLING = 0.01  # of the expected work: before, the first steps say nothing of the rest

Watch = Callable[[str, dict[str, float]], None]


@dataclass(frozen=True)
class Counts:
    """How far a phase is: steps done, reused, failed and queued, and the seconds that it took so far.

    ``cpu_seconds`` is the processor time of the steps that were made, on ``cores`` cores where their number is known.
    ``share`` is how much of the expected work is made, where steps differ so much that their number says little.
    """

    total: int
    done: int
    reused: int
    failed: int
    cpu_seconds: float
    seconds: float
    cores: int | None = None
    share: float | None = None

    @property
    def queued(self) -> int:
        """Steps that are neither done nor failed yet, those under way among them."""
        return self.total - self.reused - self.done - self.failed

    @property
    def rate(self) -> float:
        """Steps a second; what was reused took none."""
        return (self.done + self.failed) / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the end if work goes on as fast; None where too little was made to say."""
        if self.share is not None:
            return max(0.0, self.seconds * (1 / self.share - 1)) if self.share >= _TELLING else None
        return self.queued / self.rate if self.rate > 0 else None

    @property
    def efficiency(self) -> float | None:
        """Share of the cores' time that went into steps; None where their number is not known."""
        return self.cpu_seconds / (self.cores * self.seconds) if self.cores and self.seconds > 0 else None

    def plain(self) -> dict[str, float]:
        """All that is known of it, by name.

        >>> sorted(Counts(10, 4, 2, 1, 6.0, 5.0, cores=2).plain())
        ['cpu_seconds', 'done', 'efficiency', 'failed', 'queued', 'rate', 'reused', 'seconds', 'seconds_left', 'total']
        """
        own = {name: value for name, value in asdict(self).items() if name not in ("cores", "share")}
        made = {"queued": self.queued, "rate": self.rate}
        guessed = {"seconds_left": self.seconds_left, "efficiency": self.efficiency}
        return {**own, **made, **{name: value for name, value in guessed.items() if value is not None}}


class Steps:
    """Counts the steps of one phase and tells how far it is.

    ``watch`` hears the phase and its counts at its start, after every step and at its end; ``log`` as often as a line
    is written where there is no terminal. ``cores`` is asked for how many cores work on it. ``expected`` is about what
    all missing steps take, in any unit: where it is known, the time left is told by it.
    """

    def __init__(
        self,
        title: str,
        total: int,
        reused: int = 0,
        console: Console | None = None,
        watch: Watch | None = None,
        log: Watch | None = None,
        cores: Callable[[], int] | None = None,
        expected: float = 0.0,
    ) -> None:
        self._title, self._total, self._reused = title, total, reused
        self._console = console or Console(stderr=True)
        self._watch, self._log, self._cores = watch, log, cores
        self._done = self._failed = 0
        self._cpu_seconds = 0.0
        self._expected, self._made = expected, 0.0
        self._started = self._told = time.monotonic()
        self._bar = self._live() if self._console.is_terminal else None

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(
                self._title, total=self._total, completed=self._reused, failed="", rate="", left=""
            )
        self._show(self._counts(self._started))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if kind is None:
            counts = self._counts(time.monotonic())
            self._show(counts)
            self._tell(counts, final=True)

    def advance(self, steps: int = 1, failed: int = 0, cpu_seconds: float = 0.0, expected: float = 0.0) -> None:
        """Count finished steps, of which some failed, the processor time that they took, and what had been expected."""
        self._done += steps - failed
        self._failed += failed
        self._cpu_seconds += cpu_seconds
        self._made += expected
        now = time.monotonic()
        counts = self._counts(now)
        self._show(counts)
        if now - self._told > _LINE_EVERY:
            self._told = now
            self._tell(counts, final=False)

    def _counts(self, now: float) -> Counts:
        cores = self._cores() if self._cores is not None else None
        share = self._made / self._expected if self._expected else None
        return Counts(
            self._total, self._done, self._reused, self._failed, self._cpu_seconds, now - self._started, cores, share
        )

    def _show(self, counts: Counts) -> None:
        if self._watch is not None:
            self._watch(self._title, counts.plain())
        if self._bar is not None:
            told = f"{counts.failed} failed" if counts.failed else ""
            completed = counts.total - counts.queued
            left = "" if counts.seconds_left is None else f"{timedelta(seconds=round(counts.seconds_left))} left"
            self._bar.update(self._task, completed=completed, failed=told, rate=f"{counts.rate:.1f}/s", left=left)

    def _tell(self, counts: Counts, *, final: bool) -> None:
        if self._log is not None:
            self._log(self._title, counts.plain())
        if self._bar is None:
            sys.stderr.write(f"{self._title}: {line_of(counts, final=final)}\n")
            sys.stderr.flush()

    def _live(self) -> Progress:
        reused = f"[dim]{self._reused} reused[/dim]" if self._reused else ""
        return Progress(
            TextColumn("{task.description:<16}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(reused),
            TextColumn("[red]{task.fields[failed]}[/red]"),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=self._console,
        )


def line_of(counts: Counts, *, final: bool = False) -> str:
    """Counts as a line of a log.

    >>> line_of(Counts(total=60, done=19, reused=0, failed=1, cpu_seconds=0.0, seconds=10.0))
    '20/60, 1 failed, 2.0/s, 20 s left'
    >>> line_of(Counts(total=60, done=50, reused=10, failed=0, cpu_seconds=9.0, seconds=10.0, cores=1), final=True)
    '60/60, 10 reused, 10.0 s, efficiency 0.90'
    """
    parts = [f"{counts.total - counts.queued}/{counts.total}"]
    parts += [f"{counts.reused} reused"] if counts.reused else []
    parts += [f"{counts.failed} failed"] if counts.failed else []
    if final:
        parts += [f"{counts.seconds:.1f} s"]
        parts += [f"efficiency {counts.efficiency:.2f}"] if counts.efficiency and counts.done else []
    else:
        left = "time left unknown" if counts.seconds_left is None else f"{counts.seconds_left:.0f} s left"
        parts += [f"{counts.rate:.1f}/s", left]
    return ", ".join(parts)
