"""Progress of a run: a live bar in a terminal, a line every few seconds in a log, gauges on a dashboard."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_LINE_EVERY = 5.0

Watch = Callable[[str, dict[str, float]], None]


class Steps:
    """Counts steps of one phase: done, reused, failed, rate and time left; ``watch`` hears the phase and its counts."""

    def __init__(
        self,
        title: str,
        total: int,
        reused: int = 0,
        console: Console | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._title, self._total, self._reused = title, total, reused
        self._console = console or Console(stderr=True)
        self._watch = watch
        self._done = self._failed = 0
        self._cpu_seconds = 0.0
        self._started = self._told = time.monotonic()
        self._bar = self._live() if self._console.is_terminal else None

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(self._title, total=self._total, completed=self._reused, failed="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif kind is None:
            self._line(final=True)

    def advance(self, steps: int = 1, failed: int = 0, cpu_seconds: float = 0.0) -> None:
        """Count finished steps, of which some failed, and the processor time that they took."""
        self._done += steps
        self._failed += failed
        self._cpu_seconds += cpu_seconds
        if self._watch is not None:
            self._watch(self._title, self._counts())
        if self._bar is not None:
            told = f"{self._failed} failed" if self._failed else ""
            self._bar.update(self._task, completed=self._reused + self._done, failed=told)
        elif time.monotonic() - self._told > _LINE_EVERY:
            self._told = time.monotonic()
            self._line(final=False)

    def _counts(self) -> dict[str, float]:
        return {
            "done": self._done - self._failed,
            "reused": self._reused,
            "failed": self._failed,
            "queued": self._total - self._reused - self._done,
            "cpu_seconds": self._cpu_seconds,
        }

    def _line(self, *, final: bool) -> None:
        elapsed = time.monotonic() - self._started
        rate = self._done / elapsed if elapsed > 0 else 0.0
        left = (self._total - self._reused - self._done) / rate if rate > 0 else float("nan")
        parts = [f"{self._title}: {self._reused + self._done}/{self._total}"]
        parts += [f"{self._reused} reused"] if self._reused else []
        parts += [f"{self._failed} failed"] if self._failed else []
        parts += [f"{elapsed:.1f} s"] if final else [f"{rate:.1f}/s", f"{left:.0f} s left"]
        sys.stderr.write(", ".join(parts) + "\n")
        sys.stderr.flush()

    def _live(self) -> Progress:
        reused = f"[dim]{self._reused} reused[/dim]" if self._reused else ""
        return Progress(
            TextColumn("{task.description:<16}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(reused),
            TextColumn("[red]{task.fields[failed]}[/red]"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
        )
