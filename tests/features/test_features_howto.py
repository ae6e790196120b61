"""The page about a new feature does what it says: its code, at the end of the one file it names, is all it takes."""

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from farm.features import FeatureRecipe, momentum, registry
from farm.features.laws import LAWS
from farm.testing.feature import random_bars

PAGE = Path(__file__).parents[2] / "docs" / "howto-feature.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)

page = ModuleType("page_momentum")  # the file with the page's first two blocks at its end
edited = vars(page)
edited.update({name: value for name, value in vars(momentum).items() if not name.startswith("__")})
sys.modules[page.__name__] = page
for block in BLOCKS[:2]:
    exec(compile(block, "momentum.py", "exec"), edited)

exec(compile(BLOCKS[2], "docs/howto-feature.md", "exec"), globals() | edited, suite := {})
TestLateShare = suite["TestLateShare"]  # collected and run here


@pytest.fixture
def added(monkeypatch):
    monkeypatch.setattr(momentum, "FEATURES", edited["FEATURES"])
    registry.cache_clear()
    yield registry()["late_share_20"]
    registry.cache_clear()


def test_one_file_makes_it_known_to_recipes(added):
    assert len(BLOCKS) == 3
    recipe = FeatureRecipe(preset="small", include=("late_share_20",), timeframes=("1h",))
    assert {"late_share_20", "late_share_20@1h"} < set(recipe.names)
    assert added.group == "momentum"


def test_its_table_has_the_share(added):
    bars = random_bars(np.random.default_rng(0), [300])
    found = FeatureRecipe(preset="none", include=("late_share_20",)).table(bars, {}).values[:, 0]
    size = np.abs(np.diff(bars.close))
    for row in (20, 57, 299):
        last = size[row - 20 : row]
        expected = last[10:].sum() / last.sum() if last.any() else 0.5
        assert found[row] == pytest.approx(expected)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_laws_reach_it_through_the_registry(added, law):
    assert (
        law(registry()[added.name], random_bars(np.random.default_rng(7), [300, 40]), np.random.default_rng(1)) is None
    )
