"""What is traded: ticks, money, sessions and costs of one instrument or class of instruments."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from farm.bars.calendar import Calendar
from farm.bars.frame import Bool, Float
from farm.errors import BadInput
from farm.section import Section


class BasisPoints(Section):
    """A cost as hundredths of a percent of the traded notional, per fill."""

    kind: Literal["bps"] = "bps"
    value: float = Field(ge=0)


class PerContract(Section):
    """A cost in money per contract and fill."""

    kind: Literal["per_contract"] = "per_contract"
    value: float = Field(ge=0)


class Ticks(Section):
    """A cost in ticks per contract and fill."""

    kind: Literal["ticks"] = "ticks"
    value: float = Field(ge=0)


Cost = Annotated[BasisPoints | PerContract | Ticks, Field(discriminator="kind")]


class ByVolatility(Section):
    """A slippage of its own for fills in sessions of low and of high volatility."""

    kind: Literal["by_volatility"] = "by_volatility"
    low: Cost
    high: Cost


Slippage = Annotated[BasisPoints | PerContract | Ticks | ByVolatility, Field(discriminator="kind")]


class Instrument(Section):
    """One instrument or class of instruments, as `configs/instruments/NAME.yaml` says it.

    ``symbols`` are patterns (``*`` and ``?``) of the symbols it is chosen for. ``tick_size`` is in points of price,
    ``point_value`` the money a contract gains when the price rises by one point, ``lot`` the smallest quantity that
    can be traded. Costs are per fill. ``source`` says where the figures come from, and when.

    >>> mes = instrument_for("MES", None)
    >>> mes.tick_size * mes.point_value
    1.25
    """

    name: str
    symbols: tuple[str, ...]
    asset: Literal["future", "perpetual", "equity", "index", "fx", "crypto", "synthetic"]
    currency: str = Field(pattern="^[A-Z]{3,5}$")
    calendar: Calendar
    tick_size: float = Field(gt=0)
    point_value: float = Field(gt=0)
    lot: float = Field(gt=0)
    commission: Cost
    slippage: Slippage
    source: str = Field(min_length=1)

    def fill_cost(self, price: Float, quantity: Float, volatile: Bool | None = None) -> Float:
        """Commission and slippage of each fill, in the instrument's currency; the quantity's sign does not matter.

        ``volatile`` says for each fill whether volatility is high, which matters where slippage goes by volatility.
        Where it is not told, volatility is taken to be high.

        >>> mes = instrument_for("MES", None)
        >>> mes.fill_cost(np.array([4000.0, 4000.0]), np.array([-1.0, 1.0]), np.array([False, True]))
        array([0.9375, 1.5625])
        """
        slippage = self.slippage
        if not isinstance(slippage, ByVolatility):
            slipped = self._money_a_contract(slippage, price)
        elif volatile is None:
            slipped = self._money_a_contract(slippage.high, price)
        else:
            low, high = (self._money_a_contract(cost, price) for cost in (slippage.low, slippage.high))
            slipped = np.where(volatile, high, low)
        return (self._money_a_contract(self.commission, price) + slipped) * np.abs(quantity)

    def _money_a_contract(self, cost: Cost, price: Float) -> Float:
        match cost:
            case BasisPoints(value=points):
                return points * 1e-4 * self.point_value * price
            case PerContract(value=money):
                return np.full(np.shape(price), money)
            case Ticks(value=ticks):
                return np.full(np.shape(price), ticks * self.tick_size * self.point_value)


def instruments_folder() -> Path:
    """The folder of the instruments that come with Farm, in a checkout or an installed wheel."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "configs"
    return (installed if installed.is_dir() else package.parent / "configs") / "instruments"


def instrument_for(symbol: str, chosen: Mapping[str, str] | None, folder: Path | None = None) -> Instrument:
    """The instrument of a symbol: the one chosen for it by name or file, else the one whose pattern fits.

    Parameters
    ----------
    symbol
        As the experiment names it, a folder in front included (``multi/XAUUSD_h4``); patterns see the last part.
    chosen
        Symbol to instrument: the name of a file in ``folder``, or a path that ends in ``.yaml``.
    folder
        Where the instruments are; by default those that come with Farm.
    """
    folder = folder or instruments_folder()
    choice = (chosen or {}).get(symbol)
    if choice is not None:
        path = Path(choice).expanduser() if choice.endswith((".yaml", ".yml")) else folder / f"{choice}.yaml"
        if not path.is_file():
            raise BadInput(f"instrument {choice!r} of symbol {symbol}: no file {path}; there are {_names(folder)}")
        return read_instrument(path)
    last_part = symbol.rsplit("/", 1)[-1]
    # Only the file that fits is validated: the others may need a calendar package nobody asked for.
    fitting = [
        path
        for path in sorted(folder.glob("*.yaml"))
        if any(fnmatchcase(last_part, str(pattern)) for pattern in _load(path).get("symbols", ()))
    ]
    if len(fitting) == 1:
        return read_instrument(fitting[0])
    found = f"fits {' and '.join(path.stem for path in fitting)}" if fitting else "fits no instrument's symbols"
    raise BadInput(
        f"symbol {symbol} {found}; there are {_names(folder)}: choose one by `instruments: {{{symbol}: NAME}}`, "
        "NAME being one of these or the path of your own YAML file"
    )


def read_instrument(path: Path) -> Instrument:
    """The instrument that a YAML file describes; `BadInput` names the file and what is wrong in it."""
    try:
        return Instrument.model_validate(_load(path))
    except ValidationError as error:
        wrong = "; ".join(": ".join([*map(str, each["loc"]), each["msg"]]) for each in error.errors())
        raise BadInput(f"{path}: {wrong}") from error


def _load(path: Path) -> dict[str, Any]:
    return _content(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _content(path: Path, _changed: int) -> dict[str, Any]:
    """A file's content; every symbol of an experiment looks at every file, so each version is parsed once."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe").load(path)
    except YAMLError as error:
        raise BadInput(f"{path}: not a YAML file: {error}") from error
    if not isinstance(content, dict):
        raise BadInput(f"{path}: an instrument is a mapping of keys to values, found {type(content).__name__}")
    return content


def _names(folder: Path) -> str:
    return ", ".join(path.stem for path in sorted(folder.glob("*.yaml"))) or f"none in {folder}"
