"""The final fit: learned on all rows and other groups, saved and loaded, deciding the same to the bit."""

import json
from dataclasses import replace

import numpy as np
import pytest

from farm.errors import BadInput
from farm.final import FinalModel, fit_base_finally, fit_pipeline_finally, load_final, save_final
from farm.labels import Every
from farm.models import builtin
from farm.selection import Separation
from farm.stack import Lattice, Market, Size, Stack, fit_pipeline
from farm.stack.nested import outcomes_of
from tests.stack.conftest import BASES, RECIPE, market_data

ABOVE = Stack(
    steps=[
        {"kind": "calibrate", "method": "temperature"},
        {"kind": "combine", "uses": "mlp", "penalty": 0.002, "seed": 7},
        {"kind": "meta_label", "uses": "boosted"},
        {"kind": "threshold", "at": 0.3},
        {"kind": "size", "rule": "kelly", "average_active": True},
    ]
)


def final_model(world, stack):
    free = np.zeros(len(world.panel))
    market = replace(world.market, cost=free, start=world.panel.events.row, end=world.panel.events.exit_row)
    fitted = {
        name: fit_base_finally(
            world.panel, name, model, builtin(), seed=7, threads=1, keep=50, selection=Separation()
        )
        for name, model in BASES.items()
    }  # fmt: skip
    pipeline = fit_pipeline_finally(stack.complete(), world.bases, world.lattice, world.panel.events, market)
    return FinalModel(fitted, pipeline, 1.3), market


def decided(model, world, market):
    panels = dict.fromkeys(model.bases, world.panel)
    return model.decide(panels, world.panel.events.decided_at, 0, market)


@pytest.fixture(scope="module")
def saved(world, tmp_path_factory):
    model, market = final_model(world, ABOVE)
    folder = tmp_path_factory.mktemp("home") / "models" / "stack"
    save_final(model, folder)
    return model, market, folder


def test_it_decides_the_same_to_the_bit_after_loading(saved, world):
    model, market, folder = saved
    before, after = decided(model, world, market), decided(load_final(folder), world, market)
    assert (np.abs(before.size) > 0).any()
    assert np.array_equal(after.probability, before.probability)
    assert np.array_equal(after.size, before.size)


@pytest.mark.parametrize("timeframe", [None, "2h"])
def test_at_the_newest_closed_bar_it_decides_what_it_says_of_that_moment_afterwards(saved, world, timeframe):
    """A panel to learn from ends with the last decision that has a next bar; one to serve does not wait for it."""
    model = saved[0]
    bars, calendar = market_data()
    recipe = replace(RECIPE, timeframe=timeframe)
    known = recipe.build(bars, calendar).events
    row = int(known.row[-20])
    assert bars.available_at[row] == known.decided_at[-20]
    now = bars.between(0, row + 1)
    assert recipe.build(now, calendar).events.row[-1] < row
    served = recipe.serve(now, calendar)
    assert (served.events.row[-1], served.events.labelled[-1]) == (row, False)
    later = recipe.serve(bars, calendar)
    moment = known.decided_at[-20:-19]
    market = Market(volatility=np.full(1, 0.01), cost=np.zeros(1), start=np.zeros(1, int), end=np.zeros(1, int))
    at_once, afterwards = (
        model.decide(dict.fromkeys(model.bases, one), moment, int(moment[0]) - 1, market) for one in (served, later)
    )
    assert np.isfinite(at_once.probability).all()
    assert np.array_equal(at_once.probability, afterwards.probability)
    assert np.array_equal(at_once.size, afterwards.size)


def test_a_bar_that_has_not_closed_is_not_decided_on(world):
    bars, calendar = market_data()
    recipe = replace(RECIPE, decisions=RECIPE.decisions.model_copy(update={"timeframe": "2h", "events": Every()}))
    odd = len(bars) - 1 if (bars.available_at[-1] // 3_600_000_000_000) % 2 == 0 else len(bars)
    served = recipe.serve(bars.between(0, odd), calendar)
    assert served.events.decided_at[-1] <= bars.available_at[odd - 1]
    assert served.events.decided_at[-1] == bars.available_at[odd - 2]


def test_the_folder_says_what_it_is_made_of(saved):
    model, _, folder = saved
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "model.pickle"]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    said = json.loads((folder / "model.json").read_text())
    assert said["bases"] == list(BASES)
    assert {"python", "numpy", "scikit-learn", "lightgbm"} <= set(said["made_with"])
    assert said["training_growth"] == model.training_growth


def test_a_model_is_written_once(saved):
    model, _, folder = saved
    with pytest.raises(BadInput, match="is there already"):
        save_final(model, folder)


def test_a_damaged_file_is_not_read(saved, tmp_path):
    _, _, folder = saved
    with pytest.raises(BadInput, match=r"has no model\.json and no model\.pickle"):
        load_final(tmp_path)
    objects = bytearray((folder / "model.pickle").read_bytes())
    objects[len(objects) // 2] ^= 1
    (tmp_path / "model.pickle").write_bytes(objects)
    (tmp_path / "model.json").write_bytes((folder / "model.json").read_bytes())
    with pytest.raises(BadInput, match="its checksum differs"):
        load_final(tmp_path)
    (tmp_path / "model.json").write_text('{"checksum"')
    with pytest.raises(BadInput, match="is damaged"):
        load_final(tmp_path)


def test_other_versions_than_it_was_made_with_are_refused(saved, tmp_path):
    _, _, folder = saved
    said = json.loads((folder / "model.json").read_text())
    said["made_with"]["lightgbm"] = "0.1"
    (tmp_path / "model.json").write_text(json.dumps(said))
    (tmp_path / "model.pickle").write_bytes((folder / "model.pickle").read_bytes())
    with pytest.raises(BadInput, match=r"was saved with lightgbm 0\.1, here is "):
        load_final(tmp_path)


def test_saying_the_same_against_every_other_group_is_worth_no_more_than_saying_it_once(world):
    """Weight 1/(N-1): a prediction that stands N-1 times supports the bet that it supports once."""
    events, groups = world.panel.events, len(world.plan.groups)
    base = world.lattice.mean("stumps")
    same = np.where(world.lattice.split[:, :, None] >= 0, base[:, None, :], np.nan)
    alike = Lattice(("stumps",), {"stumps": same}, world.lattice.split, world.lattice.group)
    (rows,) = np.nonzero(events.labelled)
    repeated = fit_pipeline_finally((Size(),), ("stumps",), alike, events, world.market)
    once = fit_pipeline((Size(),), {"stumps": base[rows]}, outcomes_of(events, rows), world.market.take(rows))
    assert groups > 2
    assert repeated.size.slope == pytest.approx(once.size.slope)
