"""What a model is: scikit-learn's three verbs, and a declaration of what the model wants from the fit around it."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Labels = NDArray[Any]
Scale = Literal["none", "standard", "robust"]
Device = Literal["cpu", "cuda"]


class Windows(Protocol):
    """Windows of bars, shape (n, bars, features): an array, or a view that gathers an array of what it is indexed by.

    A model indexes it by an array of positions and by nothing else, so that no more is gathered than a batch.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, bars, features)."""
        ...

    def __len__(self) -> int:
        """How many windows there are."""
        ...

    def __getitem__(self, rows: NDArray[np.int64]) -> Float:
        """The windows at these positions, shape (len(rows), bars, features)."""
        ...


class EvalSet(NamedTuple):
    """Rows that only decide when training stops: the purged tail of the train rows, never test rows."""

    X: Float
    y: Labels
    sample_weight: Float | None = None


@dataclass(frozen=True)
class Wants:
    """What a model asks of the fit around it, and the parameter names under which the fit speaks to the model.

    Attributes
    ----------
    input
        The view of the panel: ``table`` is one row of features a decision, ``window`` the features of the last
        ``window`` bars of each.
    window
        How many bars a window holds where the experiment does not say; None for a table.
    learns
        ``class``: the labels -1, 0, 1. ``move``: the event's log return in units of its volatility, timeouts with their
        sign; such a model has ``predict`` instead of ``predict_proba``, and the fit maps its number to the classes
        (`farm.models.moves`).
    role
        Whether its trials may receive a verdict (``candidate``) or only stand beside them (``baseline``).
    scale
        How feature columns are scaled, on train rows only.
    missing
        Whether NaN may stand in ``X``; where False the fit imputes.
    columns
        Feature names the model reads, passed alone, in this order, unscaled and unselected. None: the selected, scaled
        features. An empty tuple: the model reads no feature and gets ``X`` of shape (n, 0).
    in_place
        Whether ``X`` may be the panel's own rows, a `farm.models.views.RowRanges`, where nothing scales or selects
        them: such a model reads its rows without a copy, and where it is given an array it does as others do.
    weights
        Whether ``fit`` takes ``sample_weight``; where False the fit passes None and the report says "unweighted".
    seed, threads, patience
        Parameter that takes the seed, the number of threads, the rounds without improvement before training stops;
        None where the model has none.
    device
        Parameter that takes ``cpu`` or ``cuda``, as the experiment says; None where the model knows the CPU alone.
    """

    input: Literal["table", "window"] = "table"
    window: int | None = None
    learns: Literal["class", "move"] = "class"
    role: Literal["candidate", "baseline"] = "candidate"
    scale: Scale = "none"
    missing: bool = False
    columns: tuple[str, ...] | None = None
    in_place: bool = False
    weights: bool = True
    seed: str | None = None
    threads: str | None = None
    patience: str | None = None
    device: str | None = None

    def __post_init__(self) -> None:
        if (self.input == "window") != (self.window is not None):
            raise ValueError(f"input is {self.input} and window {self.window}; give a window its length, a table none")

    @property
    def selects(self) -> bool:
        """Whether the fit chooses columns for the model: not by their last values where earlier ones are read, too."""
        return self.columns is None and self.input == "table"

    @property
    def early_stopping(self) -> bool:
        """Whether the model can stop early on an ``eval_set``."""
        return self.patience is not None

    @property
    def reserved(self) -> frozenset[str]:
        """Parameter names that the experiment sets, so that nobody writes them under ``params``."""
        given = (self.seed, self.threads, self.patience, self.device)
        return frozenset(name for name in given if name is not None)


class Regressor(Protocol):
    """A model that learns moves (``Wants(learns="move")``): a number a row instead of probabilities.

    The laws of `Estimator` hold for it by its numbers.
    """

    def fit(self, X: Any, y: Float, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself, fitted: ``y`` holds each event's log return in units of its volatility."""
        ...

    def predict(self, X: Any) -> Float:
        """The expected move of each row, shape (n,)."""
        ...


class Estimator(Protocol):
    """A model that can be fitted.

    Its class says what it wants in a class attribute ``wants: ClassVar[Wants]``; one without is taken for a
    scikit-learn classifier. Called with its parameters, it refuses bad ones by a ValueError.

    Rows come in the order of their decisions. What the user of a fit should know, such as that not all rows were
    learned from, a fitted model may say in an attribute ``remark_``; it is kept with the fit's record.

    The laws, checked by `farm.testing.model.ModelContract`:

    1. ``fit`` reads its arrays and changes none of them; equal arrays, parameters, seed and threads give bit-equal
       probabilities.
    2. ``classes_`` are the sorted classes met with a weight above 0 (a rule that learns nothing may add its own); a
       class missing from the train rows is missing here. A candidate predicts a single class with certainty.
    3. ``predict_proba`` has one row a row of ``X`` and one column a class, each row adds up to 1 and depends on that
       row of ``X`` alone.
    4. Rows of weight 0 change nothing. Weights are used as given; the fit around normalises them.
    5. ``eval_set`` is given exactly when the model was built to stop early; anything else is a ValueError.
    6. A fitted model survives pickling with equal predictions.
    """

    classes_: Labels

    def fit(self, X: Any, y: Labels, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself, fitted: ``X`` is (n, n_features), ``y`` and ``sample_weight`` are (n,).

        A model that wants windows gets ``X`` as `Windows`, here and in ``predict_proba``.
        """
        ...

    def predict_proba(self, X: Any) -> Float:
        """Probabilities, shape (n, len(classes_)), columns in the order of ``classes_``."""
        ...
