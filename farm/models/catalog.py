"""The models by name: those that Farm brings, those of plug-ins, and any scikit-learn classifier by import path."""

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
        """The entry under a name, or a new one for the import path of a scikit-learn classifier.

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

    >>> sorted(builtin())
    ['buy_and_hold', 'lightgbm', 'logistic', 'majority', 'momentum_sign', 'random']
    """
    at = "farm.models"
    return Catalog(
        {
            "lightgbm": Entry(
                f"{at}.boosting.lightgbm:LightGBM",
                "Gradient-boosted trees over feature histograms.",
                "boosting",
                libraries=("numpy", "lightgbm"),
                extra="boosting",
            ),
            "logistic": Entry(
                f"{at}.classical.logistic:Logistic",
                "Multinomial logistic regression with an L2 penalty.",
                "classical",
                libraries=_SCIKIT_LEARN,
            ),
            "majority": Entry(
                f"{at}.baseline.majority:Majority",
                "The class shares of the train rows.",
                "baseline",
                ("numpy",),
            ),
            "momentum_sign": Entry(
                f"{at}.baseline.momentum_sign:MomentumSign",
                "The direction of the last twenty bars, again.",
                "baseline",
                ("numpy",),
            ),
            "random": Entry(
                f"{at}.baseline.random:Random", "A die with the class shares of the train rows.", "baseline", ("numpy",)
            ),
            "buy_and_hold": Entry(f"{at}.baseline.buy_and_hold:BuyAndHold", "Up, always.", "baseline", ("numpy",)),
        }
    )


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
