"""The catalog lists without importing, says what is missing, and lets two catalogs live side by side."""

import importlib.metadata
import subprocess
import sys
from dataclasses import replace

import pytest

from farm.errors import BadInput
from farm.models import BASELINES, Catalog, Entry, Model, builtin, catalog, entry, installed


def test_listing_imports_no_heavy_library() -> None:
    heavy = {"lightgbm", "sklearn", "scipy.stats", "torch", "lightning", "xgboost", "catboost", "ray"}
    listing = (
        "import sys; from farm.models import installed; "
        "print([(name, entry.family, entry.description, entry.status()) for name, entry in installed().items()]); "
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout
    assert "lightgbm" in out.splitlines()[0]
    assert out.splitlines()[1] == "[]"


def test_every_baseline_is_in_the_catalog_and_nothing_else_has_that_role() -> None:
    roles = {name: entry.wants().role for name, entry in builtin().items()}
    assert {name for name, role in roles.items() if role == "baseline"} == set(BASELINES)


@pytest.mark.parametrize(
    ("name", "library", "extra"),
    [
        ("catboost", "catboost", "catboost"),
        ("xgboost", "xgboost", "boosting"),
        ("gru", "torch", "torch"),
        ("gru", "lightning", "torch"),
    ],
)
def test_without_its_library_a_model_names_the_extra_that_installs_it(
    name: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = entry._version
    monkeypatch.setattr(entry, "_version", lambda each: None if each == library else known(each))
    assert builtin()[name].status() == f"unavailable: install ohlcv-farm[{extra}]"
    with pytest.raises(BadInput, match=rf"install ohlcv-farm\[{extra}\]"):
        Model(uses=name).wants(builtin())


def test_a_package_with_an_entry_point_adds_its_model(with_plug_in: Catalog) -> None:
    assert with_plug_in["nearest_mean"].status() == "available"
    assert Model(uses="nearest_mean").build(3, 1, with_plug_in).seed == 3
    assert "nearest_mean" not in builtin()


def test_a_missing_library_is_listed_with_what_to_install_and_refused_on_use() -> None:
    entry = Entry("farm.models.boosting.lightgbm:LightGBM", "", "boosting", ("no-such-library",), "boosting")
    assert entry.status() == "unavailable: install ohlcv-farm[boosting]"
    with pytest.raises(BadInput, match=r"install ohlcv-farm\[boosting\]"):
        Model(uses="far").build(0, 1, Catalog({"far": entry}))


def test_two_catalogs_coexist() -> None:
    logistic = builtin()["logistic"]
    mine = builtin().extended({"mine": logistic})
    assert "mine" in mine
    assert "mine" not in builtin()
    with pytest.raises(BadInput, match="no model is called 'mine'"):
        Model(uses="mine").build(0, 1, builtin())
    with pytest.raises(BadInput, match="already in the catalog"):
        mine.extended({"mine": logistic})


def test_an_unknown_name_gets_the_nearest_ones() -> None:
    with pytest.raises(BadInput, match="did you mean lightgbm"):
        builtin().entry("lightgmb")


@pytest.mark.parametrize(
    ("uses", "message"),
    [
        ("sklearn.ensemble.ExtraTreesClasifier", "did you mean ExtraTreesClassifier"),
        ("sklern.ensemble.ExtraTreesClassifier", "cannot import sklern|sklern.* cannot be imported"),
        ("sklearn.metrics.f1_score", "no class f1_score"),
        ("sklearn.linear_model.RidgeClassifier", "no predict_proba"),
        ("sklearn.linear_model.SGDClassifier", "no predict_proba with these parameters"),
        ("sklearn.ensemble.VotingClassifier", "estimators"),
    ],
)
def test_an_import_path_that_is_no_classifier_is_refused(uses: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Model(uses=uses).build(0, 1, builtin())


def test_a_plug_in_that_cannot_be_imported_is_listed_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def points(group: str) -> list[importlib.metadata.EntryPoint]:
        values = {"plugged": f"{__name__}:PLUGGED", "broken": "no_such_package.models:ENTRY"}
        return [importlib.metadata.EntryPoint(name, value, group) for name, value in values.items()]

    monkeypatch.setattr(catalog.importlib.metadata, "entry_points", points)
    found = installed.__wrapped__()
    assert found["plugged"] is PLUGGED
    assert found["broken"].status().endswith("models:ENTRY fails: No module named 'no_such_package'")
    with pytest.raises(BadInput, match="no_such_package"):
        Model(uses="broken").build(0, 1, found)


def test_an_entry_point_at_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    point = importlib.metadata.EntryPoint("odd", "json:dumps", "farm.models")
    monkeypatch.setattr(catalog.importlib.metadata, "entry_points", lambda group: [point])
    with pytest.raises(BadInput, match="point it at a farm"):
        installed.__wrapped__()


def test_the_source_digest_follows_the_file_and_the_libraries() -> None:
    models = builtin()
    digests = {name: Model(uses=name).source_digest(models) for name in models}
    assert len(set(digests.values())) == len(models)
    lightgbm = models["lightgbm"]
    assert replace(lightgbm, description="other words").source_digest() == digests["lightgbm"]
    for changed in ({"libraries": ("numpy",)}, {"settings": "logistic"}, {"modules": ("farm.models.threads",)}):
        assert replace(lightgbm, **changed).source_digest() != digests["lightgbm"]


PLUGGED = Entry("farm.models.baseline.majority:Majority", "The majority again.", "test")
