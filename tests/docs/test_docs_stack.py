"""The page on the steps above the bases: its YAML is read, its code runs, and every kind and way stands in it."""

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from farm.stack import Calibrate, Combine, Size, Stack
from farm.stack.steps import Step

TEXT = (Path(__file__).parents[2] / "docs" / "stack.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_the_yaml_is_read(block: str) -> None:
    told = YAML(typ="safe").load(block)
    if isinstance(told, dict):
        Stack.model_validate(told["stack"])
    else:
        for step in told:
            TypeAdapter(Step).validate_python(step)


def test_the_code_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    exec(compile(block, "docs/stack.md", "exec"), {})
    assert capsys.readouterr().out


def test_every_kind_and_way_has_its_line() -> None:
    yaml = "".join(BLOCKS)
    for step in get_args(get_args(Step)[0]):
        assert f"kind: {step.model_fields['kind'].default}" in yaml
    for step, key, default in ((Calibrate, "method", "sigmoid"), (Combine, "uses", "logistic"), (Size, "rule", "")):
        for way in get_args(step.model_fields[key].annotation):
            assert f"{key}: {way}" in yaml or way in (default, "expected_return")
