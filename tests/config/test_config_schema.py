"""The JSON schema: in step with the code, and true of real experiments."""

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from farm.config import experiment_schema

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.yaml"))


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def fits(value: Any) -> bool:
    checker = pytest.importorskip("jsonschema", reason="jsonschema is not installed").Draft202012Validator
    checker.check_schema(experiment_schema())
    return bool(checker(experiment_schema()).is_valid(value))


def test_the_committed_schema_is_the_code_s() -> None:
    committed = (ROOT / "docs" / "schema.json").read_text(encoding="utf-8")
    assert json.loads(committed) == experiment_schema(), "write it again: farm schema > docs/schema.json"


def test_every_section_refuses_keys_it_does_not_know() -> None:
    schema = experiment_schema()
    sections = {"experiment": schema, **schema["$defs"]}
    open_ended = {
        name
        for name, section in sections.items()
        if section.get("type") == "object" and section.get("additionalProperties") is not False
    }
    assert open_ended == set()


def test_every_kind_of_a_section_is_listed() -> None:
    schema = experiment_schema()
    assert set(schema["properties"]["folds"]["discriminator"]["mapping"]) == {"cpcv", "kfold", "walk_forward"}
    assert set(schema["properties"]["bars"]["discriminator"]["mapping"]) == {"contracts", "csv", "parquet", "synthetic"}


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.name)
def test_the_experiments_of_the_project_fit(path: Path) -> None:
    assert fits(read(path))


def test_a_broken_experiment_does_not_fit() -> None:
    sound = read(ROOT / "experiments" / "quickstart.yaml")
    assert not fits({**sound, "nmae": "x"})
    assert not fits({**sound, "folds": {"kind": "cpvc", "groups": 4}})
    assert not fits({**sound, "labels": {**sound["labels"], "up": "two"}})
    assert not fits({key: value for key, value in sound.items() if key != "labels"})
