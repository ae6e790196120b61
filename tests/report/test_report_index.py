import json

import pytest
from typer.testing import CliRunner

from farm.cli import app
from farm.errors import BadInput
from farm.report import IndexedRun, index_page


@pytest.fixture
def home(make, tmp_path):
    """A home with a finished run and one that stopped before it had a summary."""
    done = make.usual(tmp_path / "runs" / "trend" / "20260101T000000-dddddd")
    stopped = make.usual(tmp_path / "runs" / "drift" / "20260102T000000-eeeeee")
    for name in ("summary.json", "experiment.yaml"):
        (stopped / name).unlink()
    for folder, status in ((done, "done"), (stopped, "failed")):
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest |= {"run_id": folder.name, "name": folder.parent.name, "status": status}
        (folder / "manifest.json").write_text(json.dumps(manifest))
    (done / "report.html").write_text("a report")
    return tmp_path


def written(home):
    result = CliRunner().invoke(app, ["report", "--index", "--home", str(home)], catch_exceptions=False)
    assert result.output.strip() == str(home / "runs" / "index.html")
    return (home / "runs" / "index.html").read_text(encoding="utf-8")


def test_the_index_lists_every_run_of_a_home_and_links_to_its_report(home):
    html = written(home)
    assert "2 runs of 2 experiments" in html
    assert '<a href="trend/20260101T000000-dddddd/report.html">' in html
    assert 'href="drift/' not in html  # it has no report
    assert "stack on ALPHA" in html


def test_a_run_that_has_not_come_to_its_end_cannot_be_picked(home):
    html = written(home)
    assert html.count('class="pick"') == 2
    assert html.count("disabled title=") == 1


def test_the_index_of_a_home_without_runs_says_so(tmp_path):
    (tmp_path / "runs").mkdir()
    assert "No run yet" in written(tmp_path)


def test_equal_homes_make_equal_indexes_and_an_index_is_no_run(home):
    assert written(home) == written(home)


def test_hostile_names_of_runs_are_text_and_nothing_else(home):
    folder = home / "runs" / "trend" / "20260101T000000-dddddd"
    manifest = json.loads((folder / "manifest.json").read_text())
    summary = json.loads((folder / "summary.json").read_text())
    evil = "</script><script>alert('1\")</script>"
    summary["studies"][0]["symbol"] = evil
    run = IndexedRun(manifest | {"name": evil}, evil, summary, "name: x\n", None)
    html = index_page(evil, [run])
    assert "<script>alert" not in html
    assert html.count("<script") == 3


def test_one_run_or_the_index_is_asked_for_and_not_both(home):
    for arguments in (["report"], ["report", "trend", "--index"]):
        result = CliRunner().invoke(app, [*arguments, "--home", str(home)])
        assert isinstance(result.exception, BadInput)


def test_a_thousand_runs_stay_a_page_that_opens_at_once(make, home):
    folder = home / "runs" / "trend" / "20260101T000000-dddddd"
    manifest, summary = (json.loads((folder / name).read_text()) for name in ("manifest.json", "summary.json"))
    text = (folder / "experiment.yaml").read_text()
    runs = [IndexedRun(manifest | {"run_id": f"run-{at}"}, "done", summary, text, None) for at in range(1000)]
    html = index_page("home", runs)
    assert html.count('class="pick"') == 1000
    assert len(html) < 5e6
