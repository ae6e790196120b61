"""The page about a new kind of labels does what it says: its code runs, and its suite is collected and run here."""

import re
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parents[2] / "docs" / "howto-label.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)

for number, block in enumerate(BLOCKS, start=1):
    exec(compile(block, f"docs/howto-label.md, block {number}", "exec"), globals())  # running it is the test


def test_the_page_s_suite_was_collected_above() -> None:
    assert len(BLOCKS) == 3
    assert "TestExcursion" in globals()


def test_the_page_s_labels_are_what_it_says() -> None:
    recipe = globals()["Excursion"](horizon=4)
    bars = globals()["random_bars"](np.random.default_rng(3), [200], "5min")
    events = recipe.label(bars, np.arange(200))
    for k in np.flatnonzero(events.labelled):
        inside = slice(events.row[k] + 1, events.row[k] + 5)
        rise = bars.high[inside].max() - events.entry_price[k]
        fall = events.entry_price[k] - bars.low[inside].min()
        assert events.label[k] == (1 if rise > fall else -1)
