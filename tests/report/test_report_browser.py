"""The page in a real browser: no error, no request, no sideways scroll on a phone."""

import json
import shutil
from pathlib import Path

import pytest

from farm.report import write_report

_CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
_DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(not (_CHROMIUM and _DRIVER), reason="chromium and chromedriver are not installed")

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(make, tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = _CHROMIUM
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(_DRIVER))
    driver.set_script_timeout(60)
    driver.get_log("performance")
    driver.get(write_report(make.usual(tmp_path_factory.mktemp("run"))).as_uri())
    yield driver
    driver.quit()


def seen_at(browser, width: int) -> None:
    """The page at a width, with every chart of every open study drawn."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_async_script(
        """const done = arguments[0];
        const boxes = [...document.querySelectorAll('.chart')];
        const next = () => {
          const left = boxes.find((box) => !box.dataset.drawn && box.checkVisibility());
          if (!left) return setTimeout(done, 100);
          left.scrollIntoView();
          setTimeout(next, 50);
        };
        next();"""
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_scrolls_sideways_and_every_chart_is_drawn(browser, width):
    seen_at(browser, width)
    page, drawn, boxes = browser.execute_script(
        """return [document.documentElement.scrollWidth, document.querySelectorAll('.chart .main-svg').length,
                   document.querySelectorAll('.chart').length];"""
    )
    assert page <= width
    assert boxes == 11
    assert drawn >= boxes


def test_no_error_reaches_the_console_whatever_is_clicked(browser):
    seen_at(browser, 1280)
    browser.execute_script(
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
    assert browser.get_log("browser") == []


def test_the_page_asks_nothing_of_any_network(browser):
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    ours = [url for url in asked if not url.startswith(("chrome:", "data:"))]
    assert [Path(url).name for url in ours] in ([], ["report.html"])


def test_unknowns_sort_last_in_both_directions(browser):
    column = """const buttons = [...document.querySelectorAll('#trials th button')];
        const button = buttons.find((one) => one.textContent === 'Sharpe');
        button.click();
        return [...document.querySelectorAll('#trials tbody.candidates tr')].map((row) => row.cells[0].textContent);"""
    for _ in range(2):
        assert set(browser.execute_script(column)[-2:]) == {"sleeper", "broken"}


def test_searching_narrows_the_table_to_what_was_meant(browser):
    shown = browser.execute_script(
        """const find = document.getElementById('find');
        find.value = 'beta sta'; find.dispatchEvent(new Event('input'));
        const rows = [...document.querySelectorAll('#trials tbody.candidates tr')].filter((row) => !row.hidden);
        const names = rows.map((row) => row.cells[0].textContent + ' ' + row.cells[1].textContent);
        find.value = ''; find.dispatchEvent(new Event('input'));
        return names;"""
    )
    assert shown == ["stack BETA"]


def test_charts_fit_the_sheet_when_printed_and_the_window_afterwards(browser):
    seen_at(browser, 1280)
    widths = """const boxes = [...document.querySelectorAll('.chart')].filter((box) => box.checkVisibility());
        return boxes.map((box) => box._fullLayout.width);"""
    before = browser.execute_script(widths)
    browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert set(browser.execute_script(widths)) == {640}
    browser.execute_script("window.dispatchEvent(new Event('afterprint'))")
    seen_at(browser, 1280)
    assert browser.execute_script(widths) == before


def test_charts_follow_the_theme(browser):
    ink = "return document.querySelector('.chart .xtick text').style.fill"
    before = browser.execute_script(ink)
    browser.execute_script("document.getElementById('theme').click()")
    assert browser.execute_script(ink) != before
