"""Threads for kernels that release the interpreter's lock; the numbers never depend on how many there are."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def available_threads(threads: int | None) -> int:
    """`threads` as given, or as many cores as this process may use, at most 8."""
    if threads is None:
        return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)
    if threads < 1:
        raise ValueError(f"threads is {threads}; it must be at least 1, or None for the cores this process may use")
    return threads


def share(work: Callable[[int, int], None], n: int, threads: int) -> None:
    """Run ``work(start, stop)`` over 0 … n in `threads` parts of equal size."""
    edges = [n * k // threads for k in range(threads + 1)]
    if threads == 1:
        work(0, n)
        return
    with ThreadPoolExecutor(threads - 1) as pool:
        others = [pool.submit(work, edges[k], edges[k + 1]) for k in range(1, threads)]
        work(edges[0], edges[1])
        for other in others:
            other.result()
