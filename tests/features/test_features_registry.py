"""What there is: every feature says what it reads and belongs to a group; presets stay within the budget."""

import pytest

from farm.features import PRESETS, FeatureRecipe, registry
from farm.features.recipe import BUDGET

GROUPS = {
    "returns",
    "averages",
    "trend",
    "momentum",
    "volatility",
    "volume",
    "candles",
    "session",
    "regimes",
    "wavelets",
    "fractional",
    "microstructure",
}


def groups(preset):
    return {registry()[name].group for name in PRESETS[preset]}


def test_there_are_over_a_hundred_in_named_groups():
    assert len(registry()) > 100
    assert {feature.group for feature in registry().values()} == GROUPS


def test_only_a_level_depends_on_the_unit_of_price():
    assert [name for name, feature in registry().items() if not feature.stationary] == ["fractional_level_40"]


def test_microstructure_and_levels_are_off_unless_named():
    assert all("microstructure" not in groups(preset) for preset in PRESETS)
    assert all(registry()[name].stationary for names in PRESETS.values() for name in names)
    assert "roll_spread_20" in FeatureRecipe(include=("roll_spread_20",)).names


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_names_each_feature_once_within_the_budget(preset):
    names = PRESETS[preset]
    assert len(set(names)) == len(names) <= BUDGET


def test_full_has_every_other_group_and_the_whole_budget():
    assert groups("full") == GROUPS - {"microstructure"}
    assert len(PRESETS["full"]) == BUDGET
    assert set(PRESETS["core"]) < set(PRESETS["full"])


def test_boosting_has_sixty_or_more():
    assert len(PRESETS["boosting"]) >= 60
