"""What fits on the same rows may share: binned features, made once for all configurations of a split.

Binning is the one costly thing that boosted trees do before their parameters matter. Nothing is shared across splits:
bin edges are made of the values they divide, and those of another split's rows would leak (`lightgbm.Dataset.subset`
and ``reference=`` do just that).
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from farm.models.contract import Float, Labels
from farm.models.views import RowRanges, pieces_of

Made = TypeVar("Made")

_SHELF: ContextVar[dict[Any, Any] | None] = ContextVar("shelf", default=None)


@contextmanager
def sharing() -> Iterator[None]:
    """In this context fits read the same rows and have the same seed, so that they may share what they make of them."""
    token = _SHELF.set({})
    try:
        yield
    finally:
        _SHELF.reset(token)


def shared(key: tuple[Any, ...], make: Callable[[], Made]) -> Made:
    """What was made under this key in the context, or now; without a context it is made anew.

    The last thing made is kept, and no other: what is shared would otherwise take its memory once for every key.

    >>> made = []
    >>> with sharing():
    ...     [shared(("a",), lambda: made.append(1) or len(made)) for _ in range(3)], shared(("b",), lambda: "other")
    ([1, 1, 1], 'other')
    """
    shelf = _SHELF.get()
    if shelf is None:
        return make()
    if key not in shelf:
        made = make()
        shelf.clear()
        shelf[key] = made
    found: Made = shelf[key]
    return found


def rows_key(X: Float | RowRanges, y: Labels, weight: Float | None) -> tuple[Any, ...]:
    """What tells rows apart that should have been the same: labels and weights to the bit, features by their sums."""
    if _SHELF.get() is None:
        return ()
    told = hashlib.blake2b(np.ascontiguousarray(y).tobytes(), digest_size=16)
    if weight is not None:
        told.update(weight.tobytes())
    sums = [piece.sum(axis=0).tobytes() for piece in pieces_of(X)]
    return (X.shape, *sums, weight is None, told.hexdigest())
