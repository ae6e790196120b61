"""What the command line teaches."""

import importlib.metadata
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Farm = Callable[..., Any]
COMMANDS = (
    "run", "plan", "check", "submit", "report", "runs", "compare", "reproduce", "lockbox", "track", "models", "schema",
)  # fmt: skip


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_farm_alone_says_what_there_is_and_where_to_start(farm: Farm, arguments: tuple[str, ...]) -> None:
    ended = farm(*arguments)
    assert ended.code == 0
    assert "farm run experiments/quickstart.yaml" in " ".join(ended.out.split())
    for command in COMMANDS:
        assert f" {command} " in ended.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_within_80_columns(farm: Farm, command: str) -> None:
    ended = farm(command, "--help")
    assert ended.code == 0
    assert f"Usage: farm {command}" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


def test_run_teaches_by_examples_and_names_its_exit_codes(farm: Farm) -> None:
    said = " ".join(farm("run", "--help").out.split())
    assert "farm run x.yaml --set folds.groups=8" in said
    assert "0 done, 1 failed while running, 2 bad input, 3 nothing passed" in said


def test_version(farm: Farm) -> None:
    ended = farm("--version")
    assert ended.code == 0
    assert ended.out == f"farm {importlib.metadata.version('ohlcv-farm')}\n"


def test_a_mistyped_command_names_the_one_meant(farm: Farm) -> None:
    ended = farm("rnu", "x.yaml")
    assert ended.code == 2
    assert "Did you mean 'run'?" in ended.err


def test_a_mistyped_option_names_the_one_meant(farm: Farm) -> None:
    ended = farm("run", "x.yaml", "--fesh")
    assert ended.code == 2
    assert "--fresh" in ended.err


def test_models_lists_the_catalog(farm: Farm) -> None:
    listed = json.loads(farm("models", "--json").out)
    assert {"lightgbm", "logistic", "majority"} <= {one["name"] for one in listed}
    assert {"name", "family", "description", "status", "defaults"} == set(listed[0])
    assert {one["name"]: one["defaults"] for one in listed}["xgboost"]["max_depth"] == 6
    told = farm("models").out
    assert "logistic" in told
    assert "uses: sklearn.ensemble.ExtraTreesClassifier" in told


def test_schema_prints_the_file_that_the_docs_hold(farm: Farm) -> None:
    committed = Path(__file__).resolve().parents[2] / "docs" / "schema.json"
    assert farm("schema").out == committed.read_text(encoding="utf-8")
