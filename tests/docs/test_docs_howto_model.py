"""The page about a new model does what it says: one file and one line, and the model keeps the laws and fits."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import farm.models.classical
from farm.models import Entry  # noqa: F401  # the page's line is run in the catalog's place, where it is known

PAGE = Path(__file__).parents[2] / "docs" / "howto-model.md"
FILE, LINE, SUITE = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)

for number, block in enumerate((LINE, SUITE), start=2):
    exec(compile(block, f"docs/howto-model.md, block {number}", "exec"), globals())


@pytest.fixture(scope="module", autouse=True)
def the_page_s_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classical")
    (folder / "nearest_mean.py").write_text(FILE, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(farm.models.classical, "__path__", [*farm.models.classical.__path__, str(folder)])
        yield
    sys.modules.pop("farm.models.classical.nearest_mean", None)


def test_the_page_s_suite_was_collected_above() -> None:
    assert "TestNearestMean" in globals()


def test_the_page_s_model_is_listed_and_refuses_what_it_does_not_know() -> None:
    catalog = globals()["builtin"]().extended(globals()["ADDED"])
    assert catalog["nearest_mean"].status() == "available"
    model = globals()["Model"]
    with pytest.raises(ValueError, match="did you mean width"):
        model(uses="nearest_mean", params={"witdh": 1.0}).build(0, 1, catalog)


def test_the_page_s_model_prefers_the_nearest_mean() -> None:
    catalog = globals()["builtin"]().extended(globals()["ADDED"])
    X, y = np.array([[-1.0], [-1.2], [1.0], [1.2]]), np.array([-1, -1, 1, 1])
    fitted = globals()["Model"](uses="nearest_mean").build(0, 1, catalog).fit(X, y)
    assert fitted.classes_[fitted.predict_proba(np.array([[-3.0], [0.5]])).argmax(axis=1)].tolist() == [-1, 1]
