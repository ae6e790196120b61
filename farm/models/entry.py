"""One model of a catalog: where it lives, whether it can be used, and what it is made of."""

import functools
import importlib
import importlib.metadata
import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from farm.errors import BadInput
from farm.models.contract import Wants
from farm.models.imported import wants_of
from farm.models.settings import settings_of
from farm.section import digest

DISTRIBUTION = "ohlcv-farm"

_CONTRACT = ("contract", "rows", "views", "imported")
_FROM_NUMBERS = ("moves", "classical.logistic")


@dataclass(frozen=True)
class Entry:
    """One model of the catalog.

    Attributes
    ----------
    path
        ``package.module:Class``. The module imports its heavy libraries inside the functions that need them.
    description
        One line.
    family
        Such as ``boosting``, ``classical``, ``baseline``.
    libraries
        Distributions the model needs; their versions are part of the model's source digest.
    extra
        The optional dependency group of Farm that installs them; empty where Farm itself does.
    modules
        Other modules of its package that the model is made of; with its own they are part of its source digest.
    settings
        Name of the file of ``configs/models`` that holds its defaults and search space; empty where the class's own
        defaults hold.
    unavailable
        Why the model cannot be used at all; empty where it can.

    An entry of the group ``farm.models`` points at such an object, in a module that is cheap to import.
    """

    path: str
    description: str
    family: str
    libraries: tuple[str, ...] = ()
    extra: str = ""
    modules: tuple[str, ...] = ()
    settings: str = ""
    unavailable: str = ""

    def status(self) -> str:
        """``available``, or ``unavailable: `` and what to do; imports nothing.

        >>> Entry("m:M", "", "boosting", libraries=("no-such-library",), extra="boosting").status()
        'unavailable: install ohlcv-farm[boosting]'
        """
        if self.unavailable:
            return f"unavailable: {self.unavailable}"
        missing = [library for library in self.libraries if _version(library) is None]
        if not missing:
            return "available"
        return f"unavailable: install {f'{DISTRIBUTION}[{self.extra}]' if self.extra else ' '.join(missing)}"

    def model(self) -> Any:
        """The class that builds the model.

        Raises
        ------
        BadInput
            A library is missing, or the class is not where ``path`` says.
        """
        if (status := self.status()) != "available":
            raise BadInput(f"model {self.path} is {status}")
        return _class(self.path)

    def wants(self) -> Wants:
        """What the model wants."""
        kind = self.model()
        declared = getattr(kind, "wants", None)
        return declared if isinstance(declared, Wants) else wants_of(kind)

    def declares(self) -> bool:
        """Whether the class speaks Farm's contract by itself, instead of scikit-learn's."""
        return isinstance(getattr(self.model(), "wants", None), Wants)

    def defaults(self) -> Mapping[str, Any]:
        """Parameters that the model is built with where the experiment says nothing."""
        return settings_of(self.settings).defaults if self.settings else {}

    def source_digest(self) -> str:
        """Digest of the model's files, those it keeps the contract with, its defaults and its libraries' versions."""
        contract = _CONTRACT if self.wants().learns == "class" else (*_CONTRACT, *_FROM_NUMBERS)
        modules = [self.model().__module__, *self.modules, *(f"farm.models.{name}" for name in contract)]
        return digest(
            {
                "sources": [_source(module) for module in modules],
                "defaults": dict(self.defaults()),
                "libraries": {name: _version(name) for name in self.libraries},
            }
        )


def nearest(name: str, known: Iterable[str]) -> str:
    """A clause that names what a misspelt name may have meant.

    >>> nearest("lightgmb", ["lightgbm", "logistic"])
    '; did you mean lightgbm'
    """
    names = sorted(known)
    close = get_close_matches(name, names)
    return f"; did you mean {' or '.join(close)}" if close else f"; choose one of {', '.join(names)}"


def _class(path: str) -> Any:
    module_name, _, name = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise BadInput(
            f"model {path}: module {module_name} cannot be imported ({error}); correct or install it"
        ) from error
    found = getattr(module, name, None)
    if not isinstance(found, type):
        classes = [known for known, value in vars(module).items() if isinstance(value, type)]
        raise BadInput(f"model {path}: {module_name} has no class {name}{nearest(name, classes)}")
    return found


@functools.cache
def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


@functools.cache
def _source(module: str) -> str:
    """Text of a module's file; empty for a compiled one, which its distribution's version stands for."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return ""
    return Path(spec.origin).read_text(encoding="utf-8")
