"""All studies as one family: a row a study, adjusted p-values, and what was left out."""

import json

import numpy as np
import pytest

from farm.report import write_report
from farm.report.family import adjusted_of, skipped_rows
from tests.report.test_report_page import Page, row_of


def studies_of(p_values):
    return [{"p_value": p_value} for p_value in p_values]


def test_a_symbol_that_was_left_out_counts_with_a_p_value_of_one():
    told = adjusted_of(studies_of([0.01, 0.2]), n_skipped=1)
    padded = adjusted_of(studies_of([0.01, 0.2, 1.0]), n_skipped=0)
    assert told == padded[:2]
    assert told[0].holm == pytest.approx(0.03)


def test_holm_is_the_strictest_and_the_rate_that_allows_any_dependence_the_larger_of_the_two():
    p_values = np.random.default_rng(0).random(50) ** 3
    for study, adjusted in zip(p_values, adjusted_of(studies_of(p_values), 0), strict=True):
        assert study <= adjusted.fdr <= adjusted.holm <= 1
        assert adjusted.fdr <= adjusted.fdr_any <= 1


def test_fifty_markets_of_noise_hardly_ever_hold_a_discovery():
    rng = np.random.default_rng(1)
    found = np.zeros(3)
    for _ in range(400):
        adjusted = adjusted_of(studies_of(rng.random(50)), 0)
        found += [min(getattr(one, name) for one in adjusted) <= 0.05 for name in ("holm", "fdr", "fdr_any")]
    assert (found / 400 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)).all()


def test_a_run_of_an_older_version_tells_of_no_skipped_symbol():
    assert skipped_rows({"studies": []}) == []


def test_a_skipped_symbol_stands_in_the_table_as_insufficient_with_its_reason(make, tmp_path):
    folder = make.run(tmp_path, [make.study("ALPHA", [make.candidate("stack")], p_value=0.02)])
    summary = json.loads((folder / "summary.json").read_text())
    skipped = [{"symbol": "<b>", "reason": "b.csv, row 7: high 1 is under low 2"}]
    (folder / "summary.json").write_text(json.dumps(summary | {"skipped": skipped}))
    page = Page(write_report(folder).read_text(encoding="utf-8"))
    assert row_of(page, "<b>", "? INSUFFICIENT")[2] == "left out: b.csv, row 7: high 1 is under low 2"
    assert row_of(page, "ALPHA", "✕ FAIL")[6] == "0.0400"
    assert "2 studies share the level" in page.text


def test_a_study_alone_is_no_family_and_has_no_rate_of_false_discoveries(make, tmp_path):
    folder = make.run(tmp_path, [make.study("ALPHA", [make.candidate("stack")])])
    html = write_report(folder).read_text(encoding="utf-8")
    assert "false discover" not in html
    assert 'id="find-study"' not in html
