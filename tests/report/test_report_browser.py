"""The pages in a real browser: no error, no request, no sideways scroll on a phone, and everything by keyboard."""

import json
import shutil
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from farm.report import IndexedRun, compare_runs, index_page, write_comparison, write_report

_CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
_DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(not (_CHROMIUM and _DRIVER), reason="chromium and chromedriver are not installed")

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
DESKTOP, PHONE = 1280, 390


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = _CHROMIUM
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(_DRIVER))
    found.set_script_timeout(60)
    yield found
    found.quit()


@pytest.fixture(scope="module")
def pages(make, tmp_path_factory):
    """The address of each kind of page: a report with every section there is, the index, and a comparison."""
    runs = tmp_path_factory.mktemp("runs")
    first, second = make.rich(runs / "trend" / "first"), make.usual(runs / "trend" / "second")
    told = [
        IndexedRun(
            manifest=json.loads((folder / "manifest.json").read_text()) | {"run_id": folder.name},
            status="done",
            summary=json.loads((folder / "summary.json").read_text()) if folder is not None else None,
            experiment_text=(folder / "experiment.yaml").read_text() + f"seed: {at}\n",
            link=f"trend/{folder.name}/report.html",
        )
        for at, folder in enumerate((first, second))
    ]
    stopped = IndexedRun(told[0].manifest | {"run_id": "third", "name": "other"}, "stopped", None, "name: other", None)
    index = runs / "index.html"
    index.write_text(index_page("home", [*told, stopped]), encoding="utf-8")
    comparison = write_comparison(compare_runs(first, second), runs / "compare.html")
    return SimpleNamespace(
        report=write_report(first).as_uri(), index=index.as_uri(), comparison=comparison.as_uri(), folder=runs
    )


def visited(driver, address, width=DESKTOP, dark=False):
    """The page at a width, light or dark, as it opens."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for log in ("performance", "browser"):
        driver.get_log(log)
    driver.get(address)


def opened(driver, address, width=DESKTOP, dark=False):
    """The page at a width, light or dark, with everything unfolded and every chart drawn; what it asked for."""
    visited(driver, address, width, dark)
    driver.execute_async_script(
        """const done = arguments[0];
        document.querySelectorAll('details').forEach((part) => { part.open = true; });
        const boxes = [...document.querySelectorAll('.chart')];
        const next = () => {
          const left = boxes.find((box) => !box.dataset.drawn && box.checkVisibility());
          if (!left) return setTimeout(done, 100);
          left.scrollIntoView();
          setTimeout(next, 50);
        };
        next();"""
    )
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("page", ["report", "index", "comparison"])
def test_a_page_opens_without_error_or_request_and_nothing_scrolls_sideways(driver, pages, page, width, dark):
    address = getattr(pages, page)
    asked = opened(driver, address, width, dark)
    ours = [url for url in asked if not url.startswith(("chrome:", "data:"))]
    assert {urlsplit(url).path for url in ours} <= {urlsplit(address).path}
    assert driver.get_log("browser") == []
    across, drawn, boxes, ground = driver.execute_script(
        """return [document.documentElement.scrollWidth, document.querySelectorAll('.chart .main-svg').length,
                   document.querySelectorAll('.chart').length, getComputedStyle(document.body).backgroundColor];"""
    )
    assert across <= width
    assert boxes == (15 if page == "report" else 0)  # one of the run, seven of each of the two studies
    assert drawn >= boxes
    brightness = sum(int(part) for part in ground.removeprefix("rgb(").removesuffix(")").split(","))
    assert (brightness < 200) == dark


def test_names_of_any_length_push_no_page_sideways(driver, make, pages):
    long = "A_NAME_THAT_NOBODY_SHOULD_GIVE_" * 3
    study = make.full(make.study(long, [make.candidate(long + "stack")]))
    folder = make.run(pages.folder / "long" / "first", [study], name=long)
    comparison = write_comparison(compare_runs(folder, folder), pages.folder / "long.html")
    for page in (write_report(folder), comparison):
        opened(driver, page.as_uri(), PHONE)
        assert driver.execute_script("return document.documentElement.scrollWidth") <= PHONE


def test_no_error_reaches_the_console_whatever_is_clicked(driver, pages):
    opened(driver, pages.report)
    driver.execute_script(
        """for (const control of document.querySelectorAll('[data-choice]')) {
          if (control.type === 'radio') control.click();
          else for (const option of control.options) {
            control.value = option.value;
            control.dispatchEvent(new Event('change', {bubbles: true}));
          }
        }
        for (const button of document.querySelectorAll('button')) button.click();
        window.dispatchEvent(new Event('beforeprint'));
        window.dispatchEvent(new Event('afterprint'));"""
    )
    assert driver.get_log("browser") == []


def test_the_band_can_show_luck_in_place_of_the_paths(driver, pages):
    opened(driver, pages.report)
    names = driver.execute_script(
        """const select = document.querySelector('[data-choice="band"]');
        const box = select.closest('figure').querySelector('.chart');
        const shown = () => box.data.filter((one) => one.fill === 'tonexty' && one.showlegend).map((one) => one.name);
        const before = shown();
        select.value = 'luck';
        select.dispatchEvent(new Event('change', {bubbles: true}));
        const filled = box.data.filter((one) => one.fill === 'tonexty').map((one) => one.y.length > 0);
        return [before, shown(), filled];"""
    )
    assert names == [["all paths", "10–90% of paths"], ["95% of resampled histories"], [False, True]]


def test_everything_that_folds_sorts_or_turns_does_so_by_keyboard(driver, pages):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    visited(driver, pages.report)
    driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert driver.switch_to.active_element.text == "Skip to the candidates"

    fold = driver.find_element(By.CSS_SELECTOR, "details.fold")
    was = fold.get_attribute("open")
    fold.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    assert fold.get_attribute("open") != was

    head = driver.find_element(By.CSS_SELECTOR, "#trials th button")
    head.send_keys(Keys.ENTER)
    assert driver.execute_script("return arguments[0].closest('th').ariaSort", head) == "ascending"
    head.send_keys(Keys.SPACE)
    assert driver.execute_script("return arguments[0].closest('th').ariaSort", head) == "descending"

    turn = driver.find_element(By.ID, "theme")
    turn.send_keys(Keys.SPACE)
    assert driver.execute_script("return document.documentElement.dataset.theme") == "dark"
    outline = driver.execute_script("return getComputedStyle(arguments[0]).outlineStyle", turn)
    assert outline == "solid"  # who goes by keyboard sees where he is


def test_unknowns_sort_last_in_both_directions(driver, pages):
    visited(driver, pages.report)
    column = """const buttons = [...document.querySelectorAll('#trials th button')];
        const button = buttons.find((one) => one.textContent === 'Sharpe');
        button.click();
        return [...document.querySelectorAll('#trials tbody.candidates tr')].map((row) => row.cells[0].textContent);"""
    for _ in range(2):
        assert set(driver.execute_script(column)[-2:]) == {"sleeper", "broken"}


def test_searching_narrows_the_table_to_what_was_meant(driver, pages):
    visited(driver, pages.report)
    shown = driver.execute_script(
        """const find = document.getElementById('find');
        find.value = 'beta sta'; find.dispatchEvent(new Event('input'));
        const rows = [...document.querySelectorAll('#trials tbody.candidates tr')].filter((row) => !row.hidden);
        return rows.map((row) => row.cells[0].textContent + ' ' + row.cells[1].textContent);"""
    )
    assert shown == ["stack BETA"]


@pytest.fixture(scope="module")
def many(make, tmp_path_factory):
    """The report of a hundred and twenty studies, four candidates each, and of one symbol that was left out."""
    studies = [
        make.study(
            f"S{at:03d}_1h",
            [make.candidate(name, deflated=at / 200) for name in ("stack", "boosted", "linear", "forest")],
            p_value=1 - at / 200,
        )
        for at in range(120)
    ]
    folder = make.run(tmp_path_factory.mktemp("many") / "run", studies, n_sessions=30)
    summary = json.loads((folder / "summary.json").read_text())
    skipped = [{"symbol": "BROKEN_1h", "reason": "bars.csv, row 7: high 1 is under low 2"}]
    (folder / "summary.json").write_text(json.dumps(summary | {"skipped": skipped}))
    return write_report(folder).as_uri()


def test_the_family_narrows_to_what_is_looked_for_and_sorts(driver, many):
    visited(driver, many)
    shown = """const control = document.getElementById(arguments[0]);
        control.value = arguments[1];
        control.dispatchEvent(new Event(arguments[2]));
        const rows = [...document.querySelectorAll('#family tbody tr')].filter((row) => !row.hidden);
        return [rows.map((row) => row.cells[0].textContent), document.getElementById('found-study').textContent];"""
    assert driver.execute_script(shown, "find-study", "s01", "input") == [
        [f"S{at:03d}_1h" for at in range(19, 9, -1)],
        "10 studies shown",
    ]
    driver.execute_script(shown, "find-study", "", "input")
    assert driver.execute_script(shown, "ruling-study", "INSUFFICIENT", "change") == [["BROKEN_1h"], "1 study shown"]
    first = driver.execute_script(
        """const buttons = [...document.querySelectorAll('#family th button')];
        buttons.find((one) => one.textContent === 'FDR').click();
        return document.querySelector('#family tbody tr').cells[0].textContent;"""
    )
    assert first == "S119_1h"


@pytest.mark.parametrize("width", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_what_a_page_of_many_studies_packs_is_there_when_it_is_wanted(driver, many, width):
    visited(driver, many, width)
    rows = "return document.querySelectorAll('#trials tbody.candidates tr').length"
    assert driver.execute_script(rows) == 300
    unfolded = driver.execute_async_script(
        """const done = arguments[0];
        const last = [...document.querySelectorAll('details.study')].pop();
        last.open = true;
        const wait = () => {
          const tables = last.querySelectorAll('table').length;
          if (tables) done(tables); else setTimeout(wait, 20);
        };
        wait();"""
    )
    assert unfolded > 3
    charted = driver.execute_async_script(
        """const done = arguments[0];
        const third = document.querySelectorAll('details.study')[2];
        third.open = true;
        third.scrollIntoView();
        const wait = () => third.querySelector('.chart .main-svg') ? done(true) : setTimeout(wait, 20);
        wait();"""
    )
    assert charted
    found = driver.execute_async_script(
        """const done = arguments[0];
        const find = document.getElementById('find');
        find.value = 's000 forest';
        find.dispatchEvent(new Event('input'));
        const wait = () => {
          const rows = [...document.querySelectorAll('#trials tbody.candidates tr')].filter((row) => !row.hidden);
          if (rows.length === 1) done(rows[0].cells[1].textContent); else setTimeout(wait, 20);
        };
        wait();"""
    )
    assert found == "S000_1h"
    assert driver.execute_script(rows) == 480
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert driver.get_log("browser") == []


def test_charts_fit_the_sheet_when_printed_and_the_window_afterwards(driver, pages):
    opened(driver, pages.report)
    widths = """const boxes = [...document.querySelectorAll('.chart')].filter((box) => box.checkVisibility());
        return boxes.map((box) => box._fullLayout.width);"""
    before = driver.execute_script(widths)
    driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert set(driver.execute_script(widths)) == {640}
    driver.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert driver.execute_script(widths) == before


def test_printing_unfolds_what_is_folded_and_folds_it_again(driver, pages):
    visited(driver, pages.report)
    folded = "return document.querySelectorAll('details.fold:not([open])').length"
    before = driver.execute_script(folded)
    assert before > 0
    driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert driver.execute_script(folded) == 0
    driver.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert driver.execute_script(folded) == before


def test_charts_follow_the_theme(driver, pages):
    opened(driver, pages.report)
    ink = "return document.querySelector('.chart .xtick text').style.fill"
    before = driver.execute_script(ink)
    driver.execute_script("document.getElementById('theme').click()")
    assert driver.execute_script(ink) != before


def shown_runs(driver, control, value):
    return driver.execute_script(
        """const control = document.getElementById(arguments[0]);
        control.value = arguments[1];
        control.dispatchEvent(new Event('input'));
        const rows = [...document.querySelectorAll('#runs tbody tr')].filter((row) => !row.hidden);
        control.value = '';
        control.dispatchEvent(new Event('input'));
        return rows.map((row) => row.cells[2].textContent);""",
        control,
        value,
    )


def test_the_index_narrows_to_name_verdict_status_symbol_and_day(driver, pages):
    visited(driver, pages.index)
    everything = {"first", "second", "third"}
    assert set(shown_runs(driver, "find", "other")) == {"third"}
    assert set(shown_runs(driver, "find", "sleeper trend")) == {"first", "second"}
    assert set(shown_runs(driver, "verdict", "PASS")) == {"first", "second"}
    assert set(shown_runs(driver, "status", "stopped")) == {"third"}
    assert set(shown_runs(driver, "symbol", "BETA")) == {"first", "second"}
    assert set(shown_runs(driver, "from", "2026-01-01")) == everything
    assert shown_runs(driver, "from", "2026-01-02") == []
    assert set(shown_runs(driver, "to", "2026-01-01")) == everything


def test_two_chosen_runs_are_laid_side_by_side_and_a_third_takes_the_place_of_the_first(driver, pages):
    visited(driver, pages.index)
    told = driver.execute_script(
        """const boxes = [...document.querySelectorAll('.pick:not(:disabled)')];
        const panel = document.getElementById('compare');
        const before = panel.hidden;
        boxes.forEach((box) => box.click());
        return [before, panel.hidden, panel.textContent];"""
    )
    assert told[:2] == [True, False]
    assert "seed01" in told[2].replace(" ", "")  # the one parameter that differs, in A and in B
    assert "farm compare" in told[2]
    assert driver.execute_script("return document.querySelectorAll('.pick:disabled').length") == 1
