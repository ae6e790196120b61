"""What is known to be wrong before any bar is read: models, steps, and a home that a cluster does not share."""

import os
from pathlib import Path

from farm.config import Experiment
from farm.errors import BadInput
from farm.models import Catalog, Model
from farm.stack import Stack


def check_before_work(experiment: Experiment, catalog: Catalog) -> None:
    """Refuse what can be known to be wrong before any bar is read."""
    _check_home(experiment)
    if experiment.pool is not None and experiment.pool.engine != "process" and "://" in experiment.where:
        raise BadInput(
            f"home is {experiment.where}, and pool.engine {experiment.pool.engine} keeps its state there as files; set "
            "home to a path that all nodes share, or use engine process"
        )
    if experiment.pool is not None and experiment.pool.engine == "xgboost_ray":
        from farm.run.xgboost_ray_engine import require_xgboost_ray

        require_xgboost_ray()
    own = [experiment.of(symbol) for symbol in experiment.bars.symbols] if experiment.each else [experiment]
    for name, model in experiment.all_models().items():
        try:
            model.build(0, experiment.threads, catalog)
        except BadInput as error:
            raise BadInput(f"models.{name}: {error}") from error
        _check_learns(name, model, own, catalog)
        recipes = {model.features or one.features for one in own}
        for column in model.wants(catalog).columns or ():
            if any(column not in recipe.names for recipe in recipes):
                raise BadInput(
                    f"features: the baseline or model {name} reads {column}, which the recipe leaves out; "
                    f"add it to features.include"
                )
    for one in own:
        _check_stack(one)


def _check_learns(name: str, model: Model, own: list[Experiment], catalog: Catalog) -> None:
    """Refuse a classifier where labels are numbers; baselines, which nobody trusts, go by the sign."""
    wants = model.wants(catalog)
    if wants.role == "baseline" or wants.learns == "move":
        return
    for labels in (model.labels or one.labels for one in own):
        if labels.learns == "number":
            key = "kind" if labels.kind == "regression" else "timeout"
            raise BadInput(
                f"models.{name}: {model.uses} predicts classes, and with labels.{key} regression a label is a number; "
                "use a regressor such as sklearn.linear_model.Ridge, or choose other labels"
            )


def _check_stack(experiment: Experiment) -> None:
    stack = experiment.stack or Stack()
    for column in stack.reads():
        if column not in experiment.features.names:
            raise BadInput(
                f"stack.steps: a step reads the feature {column}, which the recipe leaves out; add it to "
                f"features.include, or name one of {', '.join(experiment.features.names[:5])}, …"
            )
    for name in stack.primaries():
        if name not in experiment.all_models():
            known = ", ".join(experiment.all_models())
            raise BadInput(f"stack.steps: a step takes its side from {name}, which is no model; name one of {known}")


def _check_home(experiment: Experiment) -> None:
    address = experiment.execution.address or os.environ.get("RAY_ADDRESS")
    given = experiment.home or os.environ.get("FARM_HOME")
    shared = given and ("://" in given or Path(given).expanduser().is_absolute())
    if experiment.execution.on == "ray" and address and not shared:
        raise BadInput(
            f"home is {given or 'not set'} and the run goes to the Ray cluster at {address}; set home (or FARM_HOME) "
            "to an absolute path that all its nodes share, or to the URI of an object store"
        )
