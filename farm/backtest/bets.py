"""How much to bet: sizes from probabilities, from divergences, and Kelly's fractions."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from farm.bars.frame import Float


def bet_size(
    probability: ArrayLike, n_classes: int = 2, *, side: ArrayLike = 1, break_even: ArrayLike | None = None
) -> Float:
    """Signed bet sizes in [-1, 1] from the probability that the chosen side wins.

    ``side * (2 * Phi(z) - 1)`` with the statistic z of `bet_statistic`: how far the probability is from chance.

    Parameters
    ----------
    probability : array_like
        Probability of the class bet on, in [0, 1].
    n_classes : int
        Number of classes, so that chance is ``1 / n_classes``.
    side : array_like
        1 to bet up, -1 to bet down. With a side of 1 a probability below chance gives a negative size.
    break_even : array_like, optional
        Size is 0 where the probability is below this (see `break_even_probability`): a bet that loses after costs is
        not made, on either side.

    Raises
    ------
    ValueError
        When a probability is outside [0, 1], a side is not -1, 0 or 1, or there are fewer than two classes.

    References
    ----------
    López de Prado, Advances in Financial Machine Learning (2018), section 10.3.

    Examples
    --------
    >>> bet_size([0.5, 0.711, 0.9], side=[1, 1, -1]).round(4)
    array([ 0.    ,  0.3584, -0.8176])
    """
    direction = np.asarray(side, dtype=np.float64)
    if not np.isin(direction, (-1.0, 0.0, 1.0)).all():
        raise ValueError("side: found a value that is not -1, 0 or 1; 1 bets up and -1 bets down")
    size = direction * (2.0 * ndtr(bet_statistic(probability, n_classes)) - 1.0)
    if break_even is None:
        return size
    return np.where(np.asarray(probability) < np.asarray(break_even), 0.0, size)


def bet_statistic(probability: ArrayLike, n_classes: int = 2) -> Float:
    """The z statistic of a probability against chance, ``(p - 1/K) / sqrt(p (1 - p))``; infinite at 0 and 1.

    Source: AFML (2018), section 10.3.

    >>> bet_statistic([0.5, 0.711]).round(6)
    array([0.      , 0.465478])
    """
    if n_classes < 2:
        raise ValueError(f"n_classes: found {n_classes}; give 2 or more")
    p = _probability(probability)
    with np.errstate(divide="ignore"):
        return (p - 1.0 / n_classes) / np.sqrt(p * (1.0 - p))


def average_active(start: ArrayLike, end: ArrayLike, size: ArrayLike) -> Float:
    """Mean size of the bets that are open when each bet starts, itself included; shape (bets,).

    A bet is open on ``[start, end)``. Only bets that started by then count, so no value depends on a later bet. A bet
    that ends where it starts is never open: 0 where no bet is.

    Parameters
    ----------
    start, end : array_like
        Rows or times, in any order.
    size : array_like
        Signed sizes in [-1, 1].

    References
    ----------
    AFML (2018), section 10.4, evaluated at the starts of the bets.

    Examples
    --------
    >>> average_active([0, 2, 5], [4, 9, 6], [1.0, 0.5, 0.0])
    array([1.  , 0.75, 0.25])
    """
    starts, ends, sizes = np.asarray(start), np.asarray(end), np.asarray(size, dtype=np.float64)
    if not (starts.shape == ends.shape == sizes.shape and starts.ndim == 1):
        raise ValueError(
            f"start, end, size: found shapes {starts.shape}, {ends.shape}, {sizes.shape}; give equal lengths"
        )
    if (ends < starts).any():
        raise ValueError(f"end: bet {int(np.argmax(ends < starts))} ends before it starts; give closed bets")
    if not (np.abs(sizes) <= 1).all():
        raise ValueError("size: found a value outside [-1, 1]; cap the sizes first")
    opened, open_sum = _sums_until(starts, sizes, starts)
    closed, closed_sum = _sums_until(ends, sizes, starts)
    active = opened - closed
    # The difference of the two running sums leaves rounding behind, never more than the bound of a mean allows.
    mean = np.divide(open_sum - closed_sum, active, out=np.zeros(len(sizes)), where=active > 0)
    return np.clip(mean, -1.0, 1.0)


def _sums_until(times: np.ndarray, sizes: Float, at: np.ndarray) -> tuple[np.ndarray, Float]:
    """Number and sum of the sizes whose time is at or before each instant."""
    order = np.argsort(times, kind="stable")
    count = np.searchsorted(times[order], at, side="right")
    return count, np.concatenate(([0.0], np.cumsum(sizes[order])))[count]


def discretise(size: ArrayLike, step: float) -> Float:
    """Sizes rounded to multiples of ``step`` and capped to [-1, 1], so that small changes cause no trades.

    Source: AFML (2018), section 10.5.

    >>> discretise([0.3584, -0.9999, 0.04], 0.1).round(12)
    array([ 0.4, -1. ,  0. ])
    """
    if not 0 < step <= 1:
        raise ValueError(f"step: found {step}; give a number above 0 and at most 1")
    return np.clip(np.round(np.asarray(size, dtype=np.float64) / step) * step, -1.0, 1.0)


def sigmoid_size(divergence: ArrayLike, width: float) -> Float:
    """Sizes in (-1, 1) that grow with the divergence of forecast and price, ``x / sqrt(width + x²)``.

    Source: AFML (2018), section 10.6.

    >>> sigmoid_size([15.0, -15.0], 7.5).round(6)
    array([ 0.983739, -0.983739])
    """
    if not width > 0:
        raise ValueError(f"width: found {width}; give a number above 0")
    x = np.asarray(divergence, dtype=np.float64)
    return x / np.sqrt(width + x * x)


def power_size(divergence: ArrayLike, exponent: float) -> Float:
    """Sizes ``sign(x) |x|^exponent`` of divergences in [-1, 1].

    Source: AFML (2018), section 10.6, the power alternative.

    >>> power_size([0.4, -0.4], 1.5).round(6)
    array([ 0.252982, -0.252982])
    """
    x = np.asarray(divergence, dtype=np.float64)
    if not exponent >= 0:
        raise ValueError(f"exponent: found {exponent}; give 0 or more")
    if not (np.abs(x) <= 1).all():
        raise ValueError("divergence: found a value outside [-1, 1]; scale it first")
    return np.sign(x) * np.abs(x) ** exponent


def break_even_probability(up: ArrayLike, down: ArrayLike, cost: ArrayLike) -> Float:
    """Probability of winning at which a bet earns nothing after costs, ``(down + cost) / (up + down)``.

    Parameters
    ----------
    up, down : array_like
        What is won and what is lost, both positive, in any one unit (ticks, log return, volatility).
    cost : array_like
        Cost of the round trip in that unit. Where it reaches ``up`` the result is 1 or more: no probability pays.

    Examples
    --------
    >>> float(break_even_probability(up=10.0, down=10.0, cost=1.5))
    0.575
    """
    win, loss, fee = (np.asarray(values, dtype=np.float64) for values in (up, down, cost))
    if not ((win > 0).all() and (loss > 0).all()):
        raise ValueError(
            "up, down: found a value that is not above 0; give what is won and what is lost, both positive"
        )
    if not (fee >= 0).all():
        raise ValueError("cost: found a value below 0 or not a number; give the cost of a round trip")
    return (loss + fee) / (win + loss)


def kelly(probability: ArrayLike, odds: ArrayLike = 1.0, *, fraction: float = 1.0) -> Float:
    """Share of the capital that maximises long-run growth of a win-or-lose bet, ``fraction * (p - (1 - p) / odds)``.

    Negative where the bet has no edge: then do not bet. ``odds`` is what a stake of 1 wins; a ``fraction`` of 0.5 is
    half Kelly.

    Source: Kelly, A New Interpretation of Information Rate (1956).

    >>> kelly([0.6, 0.4]).round(12)
    array([ 0.2, -0.2])
    """
    p, b = _probability(probability), np.asarray(odds, dtype=np.float64)
    if not (b > 0).all():
        raise ValueError("odds: found a value that is not above 0; give what a stake of 1 wins")
    return _fraction(fraction) * (p - (1.0 - p) / b)


def kelly_continuous(returns: ArrayLike, *, exact: bool = True, fraction: float = 1.0) -> float:
    """Leverage that maximises the mean of ``log(1 + f * return)`` over simple returns; negative is short.

    Parameters
    ----------
    returns : array_like
        Simple (not log) returns per observation, some above and some below 0.
    exact : bool
        False gives the approximation for small returns, mean / variance (population).
    fraction : float
        Share of the full Kelly leverage, above 0 and at most 1.

    Raises
    ------
    ValueError
        When a return is not finite or at most -1, or all have one sign: growth then has no maximum.

    References
    ----------
    Thorp, The Kelly Criterion in Blackjack, Sports Betting and the Stock Market (2006), section 7.

    Examples
    --------
    >>> round(kelly_continuous([0.5, -0.4]), 6)   # Kelly's bet: 0.5 / 0.4 - 0.5 / 0.5
    0.25
    """
    r = np.asarray(returns, dtype=np.float64)
    share = _fraction(fraction)
    if r.ndim != 1 or not np.isfinite(r).all() or not (r > -1).all():
        raise ValueError("returns: give one finite series of simple returns above -1")
    if not (r.size and r.min() < 0 < r.max()):
        raise ValueError("returns: need a gain and a loss; without both the growth rate has no maximum")
    if not exact:
        return share * float(r.mean() / r.var())
    from scipy.optimize import brentq

    # The slope of mean log growth falls from +inf to -inf between the leverages that ruin on the best and worst return.
    low, high = -1.0 / r.max(), -1.0 / r.min()
    inside = 1.0 - 1e-12
    return share * float(brentq(_growth_slope, low * inside, high * inside, args=(r,), xtol=1e-14, rtol=1e-14))


def _growth_slope(leverage: float, returns: Float) -> float:
    return float(np.mean(returns / (1.0 + leverage * returns)))


def _probability(values: ArrayLike) -> Float:
    p = np.asarray(values, dtype=np.float64)
    wrong = np.flatnonzero(~((p >= 0) & (p <= 1)))
    if wrong.size:
        i = int(wrong[0])
        raise ValueError(f"probability: found {p.flat[i]} at position {i}; give numbers from 0 to 1")
    return p


def _fraction(fraction: float) -> float:
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction: found {fraction}; give a number above 0 and at most 1 (0.5 is half Kelly)")
    return fraction
