"""Two looks at one lockbox, the second with other prices in the sealed span, and what was refitted for each."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import farm.run.lockbox as room
from farm.bars import SyntheticBars

Told = dict[str, Any]


def looks_at_other_prices(
    look: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> tuple[list[tuple[bytes, ...]], Told, Told]:
    """What the bases of either refit predict of the same rows, and what either look told."""
    decided: list[tuple[bytes, ...]] = []
    refit, read = room.refit, SyntheticBars.read

    def watched(*given: Any) -> Any:
        final, panel = refit(*given)
        values = np.linspace(-1, 1, 7 * panel.values.shape[1]).reshape(7, -1)
        decided.append(tuple(base.predict(values).tobytes() for base in final.bases.values()))
        return final, panel

    monkeypatch.setattr(room, "refit", watched)
    first = look(trial="stack")

    def altered(source: SyntheticBars, symbol: str) -> Any:
        loaded = read(source, symbol)
        sealed = loaded.bars.open_time >= first["start"]
        factor = np.where(sealed, np.exp(np.cumsum(np.where(sealed, 1e-4, 0.0))), 1.0)
        prices = {name: getattr(loaded.bars, name) * factor for name in ("open", "high", "low", "close")}
        return replace(loaded, bars=replace(loaded.bars, **prices))

    monkeypatch.setattr(SyntheticBars, "read", altered)
    return decided, first, look(trial="stack", reopen="to see that nothing fitted moves")
