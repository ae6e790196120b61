"""The files of configs/models: every parameter has one default, and every value a search may draw builds a model."""

import inspect
import itertools

import pytest

from farm.errors import BadInput
from farm.models import BASELINES, Model, builtin
from farm.models.settings import settings_of

CATALOG = builtin()
KEYS = [name for name, entry in sorted(CATALOG.items()) if name not in BASELINES and entry.status() == "available"]


def values_of(dimension):
    """The ends of a range, all of the choices."""
    return dimension["of"] if dimension["kind"] == "choice" else [dimension["low"], dimension["high"]]


@pytest.mark.parametrize("name", KEYS)
def test_a_model_takes_its_defaults_from_its_file_alone(name):
    entry = CATALOG[name]
    parameters = inspect.signature(entry.model()).parameters
    free = set(parameters) - entry.wants().reserved
    assert set(settings_of(name).defaults) == free
    assert all(parameters[each].default is inspect.Parameter.empty for each in free)
    built = Model(uses=name).build(0, 1, CATALOG)
    assert {each: getattr(built, each) for each in free} == dict(settings_of(name).defaults)


@pytest.mark.parametrize("name", KEYS)
def test_a_parameter_of_the_experiment_wins_over_the_default(name):
    searched, dimension = next(iter(settings_of(name).space.items()))
    built = Model(uses=name, params={searched: values_of(dimension)[0]}).build(0, 1, CATALOG)
    assert getattr(built, searched) == values_of(dimension)[0]


@pytest.mark.parametrize("name", KEYS)
def test_every_corner_of_the_space_that_keeps_the_constraints_builds(name):
    settings = settings_of(name)
    assert set(settings.space) <= set(settings.defaults)
    built = 0
    for corner in itertools.product(*map(values_of, settings.space.values())):
        params = dict(zip(settings.space, corner, strict=True))
        if params.get("num_leaves", 0) > 2 ** params.get("max_depth", 64):
            assert settings.constraints == ("num_leaves <= 2 ** max_depth",)
            continue
        Model(uses=name, params=params).build(0, 1, CATALOG)
        built += 1
    assert built


def test_a_name_without_a_file_is_told():
    with pytest.raises(BadInput, match=r"nothing\.yaml: no such file"):
        settings_of("nothing")
