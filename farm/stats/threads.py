"""Threads for kernels that release the interpreter's lock; the numbers never depend on how many there are."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_PARTS_A_THREAD = 8


def available_threads(threads: int | None) -> int:
    """`threads` as given, or as many cores as this process may use, at most 8."""
    if threads is None:
        return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)
    if threads < 1:
        raise ValueError(f"threads is {threads}; it must be at least 1, or None for the cores this process may use")
    return threads


def share(work: Callable[[int, int], None], n: int, threads: int) -> None:
    """Run ``work(start, stop)`` over 0 … n in equal parts, more than there are threads, each by whoever is free."""
    if threads == 1:
        work(0, n)
        return
    parts = _PARTS_A_THREAD * threads
    edges = [n * k // parts for k in range(parts + 1)]
    waiting = iter(range(parts))  # one iterator for all threads: each part is handed out once

    def take() -> None:
        for k in waiting:
            work(edges[k], edges[k + 1])

    with ThreadPoolExecutor(threads - 1) as pool:
        others = [pool.submit(take) for _ in range(threads - 1)]
        take()
        for other in others:
            other.result()
