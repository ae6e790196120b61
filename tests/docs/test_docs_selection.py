"""The page on selection: its code runs, its YAML is an experiment's, and every kind and reading stands in it."""

import re
from pathlib import Path
from typing import get_args

from pydantic import TypeAdapter
from ruamel.yaml import YAML

from farm.diagnostics import READINGS
from farm.features import FeatureRecipe
from farm.selection import Selection

TEXT = (Path(__file__).parents[2] / "docs" / "selection.md").read_text(encoding="utf-8")


def test_the_code_runs() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    exec(compile(block, "docs/selection.md", "exec"), {})


def test_the_yaml_is_read() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
    told = YAML(typ="safe").load(block)
    FeatureRecipe.model_validate(told["features"])
    TypeAdapter(Selection).validate_python(told["selection"])


def test_every_kind_has_its_row_and_every_reading_its_name() -> None:
    for section in get_args(get_args(Selection)[0]):
        assert f"| `{section.model_fields['kind'].default}`" in TEXT
    for reading in READINGS[:4]:
        assert f"`{reading}`" in TEXT
