"""Pinning the thread pools of numerical libraries, cheaply enough for a fit of milliseconds."""

import sys
from functools import lru_cache
from typing import Any


def pinned(threads: int) -> Any:
    """A context in which every loaded library with a thread pool (BLAS, OpenMP) uses so many threads.

    Finding the libraries means reading what the process has mapped, some 5 ms; they are looked for again only when
    modules were imported since, for that is how libraries come in.

    >>> with pinned(1):
    ...     pass
    """
    return _controller(len(sys.modules)).limit(limits=threads)


@lru_cache(maxsize=1)
def _controller(n_modules: int) -> Any:  # noqa: ARG001  # it tells one state of the process from the next
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
