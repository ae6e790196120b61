"""What a model's parameters are when an experiment names none, and where a search looks: `configs/models/NAME.yaml`."""

from collections.abc import Mapping
from functools import cache

from pydantic import JsonValue, ValidationError

from farm.bars.instrument import instruments_folder
from farm.errors import BadInput
from farm.section import Section


class Settings(Section):
    """One model's parameters.

    Attributes
    ----------
    defaults
        Value of every parameter that an experiment may set.
    space
        Parameter -> where a search looks for it: ``{kind: float, low, high, log}``, ``{kind: int, low, high, log}`` or
        ``{kind: choice, of: [...]}``.
    constraints
        Comparisons of parameters that every choice must keep, such as ``num_leaves <= 2 ** max_depth``.
    """

    defaults: Mapping[str, JsonValue]
    space: Mapping[str, Mapping[str, JsonValue]] = {}
    constraints: tuple[str, ...] = ()


@cache
def settings_of(name: str) -> Settings:
    """The settings that come with Farm under this name, read once a process.

    Raises
    ------
    BadInput
        There is no such file, or it holds something else.

    Examples
    --------
    >>> settings_of("xgboost").defaults["max_depth"]
    6
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    path = instruments_folder().parent / "models" / f"{name}.yaml"
    try:
        return Settings.model_validate(YAML(typ="safe", pure=True).load(path))
    except FileNotFoundError as error:
        raise BadInput(f"{path}: no such file; it holds the defaults of the model {name}") from error
    except (YAMLError, ValidationError) as error:
        raise BadInput(f"{path}: {error}") from error
