"""The section ``search:``: what it refuses, and the models that it makes."""

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import ValidationError

from farm.errors import BadInput
from farm.features import FeatureRecipe
from farm.labels import Labels, TripleBarrier
from farm.models import Model, builtin
from farm.search import Search

C = {"C": {"kind": "float", "low": 0.01, "high": 100.0, "log": True}}


@dataclass(frozen=True)
class Given:
    features: FeatureRecipe
    labels: Labels


STUDY = Given(FeatureRecipe(keep=9), TripleBarrier(up=2, down=2, max_bars=50))
MODELS = {"linear": Model(uses="logistic", params={"max_iter": 50}), "major": Model(uses="majority")}


def test_a_search_without_an_objective_is_refused_before_anything_is_seen() -> None:
    with pytest.raises(ValidationError, match="needs an objective, chosen before anything is seen: give log_loss"):
        Search.model_validate({"budget": {"trials": 3}})


def test_strictness_is_for_samplers_that_adapt() -> None:
    with pytest.raises(ValidationError, match="leave nested out, or choose tpe or halving"):
        Search.model_validate({"objective": "log_loss", "nested": "strict"})
    assert Search.model_validate({"objective": "log_loss", "nested": "strict", "sampler": {"kind": "tpe"}}).adapts


def test_every_configuration_is_the_model_with_other_parameters() -> None:
    search = Search.model_validate(
        {"objective": "log_loss", "budget": {"trials": 5}, "models": {"linear": {"space": C}}}
    )
    made = search.configurations("linear", MODELS["linear"], STUDY, builtin(), seed=1)
    assert list(made) == [f"linear.{number}" for number in range(1, 6)]
    assert all(model.params["max_iter"] == 50 and 0.01 <= model.params["C"] <= 100 for model in made.values())
    assert len({model.params["C"] for model in made.values()}) == 5


def test_the_feature_recipe_can_be_searched_for_a_model() -> None:
    space = {"features.keep": {"kind": "choice", "of": [5, 20]}, "features.preset": {"kind": "choice", "of": ["small"]}}
    search = Search.model_validate({"objective": "log_loss", "models": {"linear": {"space": space}}})
    made = search.configurations("linear", MODELS["linear"], STUDY, builtin(), seed=1)
    recipes = [model.features for model in made.values()]
    assert {recipe.keep for recipe in recipes if recipe} == {5, 20}
    assert {recipe.preset for recipe in recipes if recipe} == {"small"}


def made_with(space: dict[str, Any], **search: Any) -> dict[str, Model]:
    whole = Search.model_validate({"objective": "net_return", **search, "models": {"linear": {"space": space}}})
    return whole.configurations("linear", MODELS["linear"], STUDY, builtin(), seed=1)


def test_what_a_configuration_learns_can_be_searched_part_by_part() -> None:
    space = {"labels.max_bars": {"kind": "choice", "of": [5, 20]}, "labels.up": {"kind": "float", "low": 1, "high": 3}}
    learned = [model.labels for model in made_with(space, budget={"trials": 8}).values()]
    assert {one.max_bars for one in learned if isinstance(one, TripleBarrier)} == {5, 20}
    assert {one.down for one in learned if isinstance(one, TripleBarrier)} == {2.0}
    assert len(set(learned)) == 8


def test_whole_label_recipes_can_be_chosen_from() -> None:
    recipes = [{"kind": "directional", "horizon": 4}, {"kind": "triple_barrier", "up": 1, "down": 1, "max_bars": 9}]
    made = made_with({"labels": {"kind": "choice", "of": recipes}}, sampler={"kind": "grid"})
    assert [model.labels.kind for model in made.values() if model.labels] == ["directional", "triple_barrier"]


def test_a_configuration_that_learns_what_is_no_label_is_refused() -> None:
    with pytest.raises(ValidationError, match="unknown key 'ups'; did you mean 'up'"):
        made_with({"labels.ups": {"kind": "choice", "of": [1]}})


def test_samplers_that_adapt_search_parameters_alone() -> None:
    search = Search.model_validate(
        {
            "objective": "net_return",
            "sampler": {"kind": "tpe"},
            "models": {"linear": {"space": {"labels.max_bars": {"kind": "choice", "of": [5, 20]}}}},
        }
    )
    with pytest.raises(BadInput, match=r"labels\.max_bars is searched by samplers that do not adapt"):
        search.begin("linear", MODELS["linear"], builtin(), 1, range(6))


def test_left_out_every_candidate_is_searched_and_no_baseline() -> None:
    assert Search(objective="log_loss").searched(MODELS, builtin()) == ("linear",)


def test_searching_what_is_not_there_names_what_is() -> None:
    search = Search.model_validate({"objective": "log_loss", "models": {"linaer": {"space": C}}})
    with pytest.raises(BadInput, match=r"search\.models\.linaer: the experiment has no such model .* it has linear"):
        search.searched(MODELS, builtin())


def test_a_model_without_a_space_asks_for_one() -> None:
    extra = Model(uses="sklearn.naive_bayes.GaussianNB")
    with pytest.raises(BadInput, match=r"no search space comes with sklearn\.naive_bayes\.GaussianNB; write one under"):
        Search(objective="log_loss").configurations("bayes", extra, STUDY, builtin(), seed=1)


def test_what_the_experiment_gives_under_params_is_not_searched() -> None:
    search = Search.model_validate({"objective": "log_loss", "budget": {"trials": 4}})
    fixed = Model(uses="lightgbm", params={"n_estimators": 60})
    made = search.configurations("boosted", fixed, STUDY, builtin(), seed=1)
    assert {model.params["n_estimators"] for model in made.values()} == {60}
    assert len({model.params["learning_rate"] for model in made.values()}) == 4


@pytest.mark.parametrize("uses", sorted(name for name, entry in builtin().items() if entry.settings))
def test_every_model_comes_with_a_space_whose_points_are_models_that_can_be_built(uses: str) -> None:
    search = Search.model_validate({"objective": "log_loss", "budget": {"trials": 12}})
    made = search.configurations("model", Model(uses=uses), STUDY, builtin(), seed=3)
    assert len(made) >= 2
    if builtin().entry(uses).status() == "available":
        for model in made.values():
            model.build(1, 1, builtin())
