"""`farm calibrate` over all cells of the statistics, one run each: a table for people, JSON for programs."""

import json
from pathlib import Path

from typer.testing import CliRunner

from farm.calibrate.returns import NOTHING, SOMETHING
from farm.cli import app

EXPERIMENT = str(Path(__file__).parents[2] / "experiments" / "calibrate.yaml")


def test_every_cell_of_the_statistics_has_its_rates_and_a_second_call_only_reads(tmp_path):
    call = ["calibrate", EXPERIMENT, "--tier", "statistics", "--runs", "1", "--set", f"home={tmp_path}"]
    call += ["--set", "execution.on=process"]
    first = CliRunner().invoke(app, [*call, "--json"])
    assert first.exit_code == 0, first.output
    found = json.loads(first.stdout)
    assert [one["cell"]["name"] for one in found] == [cell.name for cell in (*NOTHING, *SOMETHING)]
    assert {one["rates"]["verdict"]["runs"] for one in found} == {1}
    second = CliRunner().invoke(app, [*call, "--json"])
    assert json.loads(second.stdout) == found
    table = CliRunner().invoke(app, call)
    assert table.exit_code == 0
    assert "wrong" in table.stdout
