"""The models by name: those that Farm brings, those of plug-ins, and any scikit-learn estimator by import path."""

import functools
import importlib.metadata
from collections.abc import Iterator, Mapping

from farm.errors import BadInput
from farm.models.entry import Entry, nearest

GROUP = "farm.models"
BASELINES = ("majority", "momentum_sign", "random", "buy_and_hold")
"""Names of the baselines that every table of results shows."""

_SCIKIT_LEARN = ("numpy", "scipy", "scikit-learn")


class Catalog(Mapping[str, Entry]):
    """A frozen mapping of names to entries. It is passed to whoever needs models; any number can coexist.

    >>> catalog = Catalog({"mine": Entry("mypackage.models:Mine", "My model.", "boosting")})
    >>> list(catalog), catalog["mine"].family
    (['mine'], 'boosting')
    """

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> Entry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def extended(self, entries: Mapping[str, Entry]) -> "Catalog":
        """A new catalog with more entries.

        Raises
        ------
        BadInput
            A name is already taken.
        """
        if taken := sorted(self._entries.keys() & entries.keys()):
            raise BadInput(f"model name {taken[0]!r} is already in the catalog; give the plug-in's entry another name")
        return Catalog({**self._entries, **entries})

    def entry(self, uses: str) -> Entry:
        """The entry under a name, or a new one for the import path of a scikit-learn classifier or regressor.

        Raises
        ------
        BadInput
            Nothing has that name; the message gives the nearest ones.

        Examples
        --------
        >>> builtin().entry("sklearn.ensemble.ExtraTreesClassifier").path
        'sklearn.ensemble:ExtraTreesClassifier'
        """
        if uses in self._entries:
            return self._entries[uses]
        if "." in uses:
            module, _, name = uses.rpartition(".")
            return Entry(f"{module}:{name}", f"{name} of {module}.", "imported", libraries=_libraries(module))
        raise BadInput(f"no model is called {uses!r}{nearest(uses, self._entries)}, or write an import path")


def builtin() -> Catalog:
    """The models that Farm brings.

    >>> [name for name in sorted(builtin()) if name not in BASELINES]
    ['catboost', 'gru', 'lightgbm', 'logistic', 'random_forest', 'svm', 'xgboost']
    """
    entries = (_gradient_boosted(), _classical(), _sequence(), _baselines())
    return Catalog({name: entry for family in entries for name, entry in family.items()})


def _gradient_boosted() -> dict[str, Entry]:
    at = "farm.models.boosting"
    return {
        "lightgbm": Entry(
            f"{at}.lightgbm:LightGBM",
            "Gradient-boosted trees over feature histograms, grown leaf by leaf.",
            "boosting",
            ("numpy", "lightgbm"),
            extra="boosting",
            settings="lightgbm",
        ),
        "xgboost": Entry(
            f"{at}.xgboost:XGBoost",
            "Gradient-boosted trees over feature histograms, grown level by level.",
            "boosting",
            ("numpy", "xgboost"),
            extra="boosting",
            settings="xgboost",
        ),
        "catboost": Entry(
            f"{at}.catboost:CatBoost",
            "Gradient-boosted symmetric trees.",
            "boosting",
            ("numpy", "catboost"),
            extra="catboost",
            settings="catboost",
        ),
    }


def _classical() -> dict[str, Entry]:
    at = "farm.models.classical"
    return {
        "logistic": Entry(
            f"{at}.logistic:Logistic",
            "Multinomial logistic regression with an L2 penalty.",
            "classical",
            _SCIKIT_LEARN,
            settings="logistic",
        ),
        "random_forest": Entry(
            f"{at}.random_forest:RandomForest",
            "Trees on bootstrap samples, averaged.",
            "classical",
            _SCIKIT_LEARN,
            settings="random_forest",
        ),
        "svm": Entry(
            f"{at}.svm:Svm",
            "Support vectors with an RBF kernel, learned from at most max_rows (5000) train rows.",
            "classical",
            _SCIKIT_LEARN,
            modules=(f"{at}.logistic",),
            settings="svm",
        ),
    }


def _sequence() -> dict[str, Entry]:
    at = "farm.models.sequence"
    return {
        "gru": Entry(
            f"{at}.gru:Gru",
            "Gated recurrent units over the last 60 bars.",
            "sequence",
            ("numpy", "torch", "lightning"),
            extra="torch",
            modules=(f"{at}.network", f"{at}.training"),
            settings="gru",
        )
    }


def _baselines() -> dict[str, Entry]:
    at = "farm.models.baseline"
    said = {
        "majority": ("Majority", "The class shares of the train rows."),
        "momentum_sign": ("MomentumSign", "The direction of the last twenty bars, again."),
        "random": ("Random", "A die with the class shares of the train rows."),
        "buy_and_hold": ("BuyAndHold", "Up, always."),
    }
    return {
        name: Entry(f"{at}.{name}:{kind}", description, "baseline", ("numpy",))
        for name, (kind, description) in said.items()
    }


@functools.cache
def installed() -> Catalog:
    """The models that Farm brings and those of installed plug-ins, looked up once a process.

    Raises
    ------
    BadInput
        A plug-in takes a name that is already in the catalog, or points at something that is not an `Entry`.
    """
    catalog = builtin()
    for point in importlib.metadata.entry_points(group=GROUP):
        catalog = catalog.extended({point.name: _plugged(point)})
    return catalog


def _plugged(point: importlib.metadata.EntryPoint) -> Entry:
    """The entry that a plug-in points at; a plug-in that cannot be imported is listed with the reason."""
    try:
        entry = point.load()
    except (ImportError, AttributeError) as error:
        return Entry(point.value, f"Plug-in {point.name}.", "plug-in", unavailable=f"{point.value} fails: {error}")
    if not isinstance(entry, Entry):
        raise BadInput(
            f"entry point {point.name} = {point.value} of group {GROUP} is a {type(entry).__name__}; "
            "point it at a farm.models.Entry"
        )
    return entry


@functools.cache
def _libraries(module: str) -> tuple[str, ...]:
    """The distributions behind an import path: its own, and scikit-learn's, which wraps it."""
    own = importlib.metadata.packages_distributions().get(module.partition(".")[0], [])
    return tuple(sorted({*_SCIKIT_LEARN, *own}))
