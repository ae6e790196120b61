import json
import re
import zlib
from base64 import b64decode
from html.parser import HTMLParser

import pytest

from farm.errors import BadInput
from farm.report import write_report


class Page(HTMLParser):
    """The text of a page as a reader sees it, its elements, and its tables row by row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[tuple[dict[str, str | None], list[str]]] = []
        self._silent = 0
        self._cell = False
        self.feed(html)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._silent += tag in ("script", "style")
        if tag == "tr":
            self.rows.append((dict(attributes), []))
        if tag in ("td", "th"):
            self.rows[-1][1].append("")
            self._cell = True

    def handle_endtag(self, tag):
        self._silent -= tag in ("script", "style")
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data):
        if self._silent:
            return
        self.words.append(data)
        if self._cell:
            self.rows[-1][1][-1] = f"{self.rows[-1][1][-1]} {data.strip()}".strip()

    def trial_row(self, trial, symbol):
        return next(cells for about, cells in self.rows if "data-find" in about and cells[:2] == [trial, symbol])


@pytest.fixture(scope="module")
def usual_page(make, tmp_path_factory):
    return Page(write_report(make.usual(tmp_path_factory.mktemp("usual"))).read_text(encoding="utf-8"))


def test_the_verdict_is_one_clear_statement(usual_page):
    assert "1 of 5 candidates passed: stack on ALPHA." in usual_page.text


def test_every_reason_of_every_candidate_appears(usual_page):
    for reason in (
        "the deflated Sharpe probability is 0.600",
        "the ranking does not last",
        "no bet was ever worth its cost",
        "this span certifies only an annual Sharpe ratio above 6.2 (limit 4); more history would help",
        "leak: feature spy knows the future",
    ):
        assert reason in usual_page.text


def test_an_unknown_value_is_called_unknown_and_never_zero(usual_page):
    cells = usual_page.trial_row("sleeper", "ALPHA")
    sharpe, required, probability, raw, effective = cells[3:8]
    for cell in (sharpe, required, probability, raw, effective, cells[9]):
        assert cell.startswith("unknown")
        assert not re.search(r"0\.0", cell)
    assert usual_page.trial_row("stack", "BETA")[8] == "unknown"  # no PBO could be computed


def test_a_trial_that_failed_to_fit_stands_in_the_table_with_its_error(usual_page):
    cells = usual_page.trial_row("broken", "ALPHA")
    assert cells[2] == "– NO RESULT"
    assert cells[3] == "1 fit failed, the first at split 4: ValueError: no luck"
    assert "Traceback: line 1" in usual_page.text


def test_baselines_stand_below_the_candidates_and_get_no_verdict(usual_page):
    for trial in ("majority", "momentum_sign", "random", "buy_and_hold"):
        for symbol in ("ALPHA", "BETA"):
            cells = usual_page.trial_row(trial, symbol)
            assert cells[2] == "baseline"
            assert cells[3] == "−4.00"
            assert cells[4:9] == ["–"] * 5


def test_a_run_without_baselines_is_not_reported(make, tmp_path):
    folder = make.run(tmp_path, [make.study("ALPHA", [make.candidate("stack")], baselines=())])
    with pytest.raises(ValueError, match="ALPHA has no baseline"):
        write_report(folder)
    assert not (folder / "report.html").exists()


def test_an_unfinished_run_is_not_reported(make, tmp_path):
    folder = make.usual(tmp_path)
    (folder / "summary.json").unlink()
    with pytest.raises(BadInput, match=r"summary\.json.*run the experiment again"):
        write_report(folder)


def test_a_run_stopped_while_it_wrote_is_not_reported(make, tmp_path):
    folder = make.usual(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    del manifest["fits"]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(BadInput, match="stopped before its end"):
        write_report(folder)


def test_a_study_without_any_result_is_told_all_the_same(make, tmp_path):
    nothing = dict.fromkeys(("class_share", "touch_share", "up_share", "holding_bars", "ambiguous_share"))
    study = make.study("ALPHA", [], baselines=("majority", "buy_and_hold"))
    study["labels"] |= nothing
    others = [make.trial("spy", "sentinel", 0.0), make.trial("no_scaling", "ablation", 0.01)]
    study["others"] += others
    folder = make.run(tmp_path, [study], lost=[("ALPHA", "linear", "candidate"), ("ALPHA", "random", "baseline")])
    page = Page(write_report(folder).read_text(encoding="utf-8"))
    assert "Nothing could be judged" in page.text
    assert page.trial_row("linear", "ALPHA")[2:] == ["– NO RESULT", "one of its bases failed to fit"]
    assert page.trial_row("random", "ALPHA")[2] == "– NO RESULT"
    assert page.trial_row("spy", "ALPHA")[2] == "sentinel"
    assert page.trial_row("no_scaling", "ALPHA")[2] == "ablation"


def test_what_the_doubt_section_must_say_is_said(usual_page):
    for statement in (
        "4,321 rows, 0 violations",
        "12 raw, 4.5 effective",
        "spy",
        "0.910",
        "Failed check:",
        "The span is too short to certify any.",
        "the last 10% of the data are sealed",
        "high 9 is under close 10",
        "2020-01-02 00:00",
        "with uncommitted changes",
        "and came to its end at 2026-01-01 01:30 UTC",
        "100 done now, 48 reused from earlier runs, 1 failed (2 allowed)",
        "ab" * 32,
    ):
        assert statement in usual_page.text


def test_hostile_names_are_text_and_nothing_else(make, tmp_path):
    evil = "<script>alert(1)</script>"
    picture = '"><img src=x onerror=alert(2)>'
    study = make.study(evil, [make.candidate(picture, reasons=(evil,))], faults=[picture])
    html = write_report(make.run(tmp_path, [study], name="</script><b>")).read_text(encoding="utf-8")
    page = Page(html)
    assert evil in page.text
    assert picture in page.text
    assert "alert(1)</script>" not in html
    assert "img" not in [tag for tag, _ in page.tags]
    assert "b" not in [tag for tag, about in page.tags if "onerror" in about]
    assert sum(tag == "script" for tag, _ in page.tags) == 5  # two scopes of data, the chart library, our two


def test_the_page_refers_to_nothing_outside_itself(usual_page):
    for tag, attributes in usual_page.tags:
        for name in ("src", "href", "action", "data", "srcset", "poster"):
            value = attributes.get(name) or ""
            assert value.startswith(("#", "data:,")) or not value, f"<{tag} {name}={value}>"
    policy = next(
        about["content"] for tag, about in usual_page.tags if about.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'")


def test_our_own_style_and_script_load_nothing():
    from importlib import resources

    templates = resources.files("farm.report") / "templates"
    for name in ("page.css", "page.js"):
        text = (templates / name).read_text(encoding="utf-8")
        assert not re.search(r"https?:|@import|url\(|\bfetch\(|XMLHttpRequest|\bimport\b\s*[({\"']", text)


@pytest.fixture(scope="module")
def rich_page(make, tmp_path_factory):
    return Page(write_report(make.rich(tmp_path_factory.mktemp("rich"))).read_text(encoding="utf-8"))


def row_of(page, *first):
    return next(cells for _, cells in page.rows if tuple(cells[: len(first)]) == first)


def test_results_by_regime_stand_with_their_number_of_sessions_and_interval(rich_page):
    assert row_of(rich_page, "stack", "volatility low")[2:] == ["210", "3.1%", "1.25 −0.40 to 2.90"]
    assert row_of(rich_page, "", "volatility high")[2:] == ["5", "−0.2%", "unknown"]


def test_the_cost_ladder_tells_what_one_bar_of_lateness_costs(rich_page):
    ladder = [cells for _, cells in rich_page.rows if cells[:1] == ["stack"] and "−0.77 20.0%" in cells]
    assert ladder[0][5:] == ["−0.77 20.0%", "1.5×", "3.0 years"]


def test_what_a_model_says_of_its_fits_is_told(rich_page):
    assert "stack says of its fits: learned from 5000 of 7210 rows (max_rows) (3 fits)." in rich_page.text


def test_features_stand_with_how_often_each_was_kept_and_what_the_tests_say(rich_page):
    assert row_of(rich_page, "adx_14") == [
        "adx_14", "25%", "100%", "slow or shifting", "< 0.001", "> 0.100", "0.031 2020-05-04", "0.213",
    ]  # fmt: skip
    assert row_of(rich_page, "rsi_14")[3:] == ["constant", *["unknown"] * 4]
    assert row_of(rich_page, "whole") == ["whole", "unknown"]  # a model that keeps everything has no stability
    assert row_of(rich_page, "stack", "0.83 0.79 to 0.87")


def test_what_gives_reason_to_look_stands_among_the_doubts(rich_page):
    assert "Look here: keep fewer of them" in rich_page.text
    assert "Look here: one feature drifts across the embargo" in rich_page.text


def test_what_a_run_does_not_tell_has_no_heading(usual_page):
    for absent in ("Regime", "One bar late", "Kept by", "ADF", "Look here", "No bar to fill in"):
        assert absent not in usual_page.text


def test_every_trial_that_predicts_has_a_calibration_error(usual_page):
    scores = [cells for _, cells in usual_page.rows if len(cells) == 6 and cells[1:4] == ["0.510", "0.930", "46.0%"]]
    assert {cells[0] for cells in scores} == {"stack", "linear", "sleeper", "majority", "momentum_sign", "random"}
    for cells in scores:
        assert all(re.fullmatch(r"\d+\.\d%", cell) for cell in cells[4:])


def test_the_studies_stand_as_one_family_with_p_value_and_level(usual_page):
    assert row_of(usual_page, "ALPHA", "✓ PASS") == [
        "ALPHA", "✓ PASS", "stack", "2.00 1.00 to 3.00", "0.2000", "0.0500", "0.4000", "0.2000", "0.3000",
        "2.40", "12 worth 4.5", "0.55",
    ]  # fmt: skip
    assert row_of(usual_page, "BETA", "? INSUFFICIENT")[9:] == ["unknown", "12 worth 4.5", "unknown"]


def test_a_run_without_a_count_of_trials_is_told_all_the_same(make, tmp_path):
    study = make.study("ALPHA", [make.candidate("stack")], raw_trials=None, effective_trials=None)
    page = Page(write_report(make.run(tmp_path, [study])).read_text(encoding="utf-8"))
    assert row_of(page, "ALPHA", "✕ FAIL")[7] == "unknown"


def test_a_run_whose_models_predict_no_probability_has_no_calibration(make, tmp_path):
    import pyarrow.parquet as pq

    folder = make.usual(tmp_path)
    rows = pq.read_table(folder / "oof.parquet")
    pq.write_table(rows.drop_columns(["p_down", "p_flat", "p_up"]), folder / "oof.parquet")
    page = Page(write_report(folder).read_text(encoding="utf-8"))
    assert "keep their word" not in page.text
    assert "Models × splits" not in page.text


def test_equal_files_make_equal_pages(make, tmp_path):
    folder = make.usual(tmp_path)
    first = write_report(folder).read_bytes()
    assert write_report(folder).read_bytes() == first


@pytest.mark.parametrize("studies", [1, 10], ids=["one study", "ten studies"])
def test_forty_candidates_over_hundreds_of_sessions_stay_under_eight_megabytes(make, tmp_path, studies):
    each = 40 // studies
    folder = make.run(
        tmp_path,
        [
            make.full(make.study(f"S{one}", [make.candidate(f"model_{at}", net=0.01 * at) for at in range(40)][-each:]))
            for one in range(studies)
        ],
        n_sessions=900,
    )
    path = write_report(folder)
    assert path.stat().st_size < 8e6
    assert Page(path.read_text(encoding="utf-8")).text.count("model_39") >= 3


def test_a_hundred_studies_stay_in_one_table_with_charts_for_the_nearest_to_passing(make, tmp_path):
    studies = [
        make.study(f"S{at:03d}", [make.candidate("stack", deflated=at / 200), make.candidate("linear")])
        for at in range(100)
    ]
    folder = make.run(tmp_path, studies, n_sessions=30)
    html = write_report(folder).read_text(encoding="utf-8")
    page = Page(html)
    assert len([about for about, _ in page.rows if "data-standing" in about]) == 200
    assert 'id="study-99"' in html
    assert html.count('id="scope-') == 48 + 1
    details = [zlib.decompress(b64decode(text)).decode() for text in re.findall(r"data-packed>(.*?)</script>", html)]
    assert len(details) == 98
    assert sum("No charts for this study" in text for text in details) == 52


def test_scripts_read_trials_by_number_so_that_no_name_can_break_a_chart(make, tmp_path):
    folder = make.run(tmp_path, [make.study("ALPHA", [make.candidate("else"), make.candidate("choose")])])
    html = write_report(folder).read_text(encoding="utf-8")
    scope = json.loads(re.search(r'id="scope-0">(.*?)</script>', html, re.S)[1])
    assert {name.split(".")[0] for name in scope["arrays"]} == {"sessions", *(f"t{at}" for at in range(6))}
