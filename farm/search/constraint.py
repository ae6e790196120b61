"""A condition between parameters, such as ``num_leaves <= 2 ** max_depth``: arithmetic and comparisons, no more."""

import ast
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator

from farm.errors import BadInput

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.LtE: operator.le,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.Gt: operator.gt,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_LARGEST_EXPONENT = 64
_ALLOWED = "write numbers, names of parameters, + - * / ** and one comparison, such as num_leaves <= 2 ** max_depth"


def holds(constraint: str, values: Mapping[str, Any]) -> bool:
    """Whether the values meet the constraint.

    Raises
    ------
    BadInput
        It names a parameter that has no value here, or one whose value is no number.

    Examples
    --------
    >>> holds("num_leaves <= 2 ** max_depth", {"num_leaves": 8, "max_depth": 3})
    True
    >>> holds("num_leaves <= 2 ** max_depth", {"num_leaves": 9, "max_depth": 3})
    False
    """
    compared = _parsed(constraint)
    left = _value(compared.left, constraint, values)
    for sign, right in zip(compared.ops, compared.comparators, strict=True):
        value = _value(right, constraint, values)
        if not _COMPARISONS[type(sign)](left, value):
            return False
        left = value
    return True


def names_in(constraint: str) -> tuple[str, ...]:
    """The parameters that a constraint names, in alphabetical order."""
    return tuple(sorted({node.id for node in ast.walk(_parsed(constraint)) if isinstance(node, ast.Name)}))


def _checked(constraint: str) -> str:
    _parsed(constraint)
    return constraint


Constraint = Annotated[str, AfterValidator(_checked)]


@lru_cache(maxsize=64)
def _parsed(constraint: str) -> ast.Compare:
    try:
        found = ast.parse(constraint, mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"constraint {constraint!r} cannot be read; {_ALLOWED}") from error
    if not isinstance(found, ast.Compare) or not all(type(sign) in _COMPARISONS for sign in found.ops):
        raise ValueError(f"constraint {constraint!r} is no comparison; {_ALLOWED}")
    for side in (found.left, *found.comparators):
        _require_arithmetic(side, constraint)
    return found


def _require_arithmetic(node: ast.expr, constraint: str) -> None:
    match node:
        case ast.Name():
            return
        case ast.Constant(value=bool() | None):
            pass
        case ast.Constant(value=int() | float()):
            return
        case ast.BinOp(op=op) if type(op) in _ARITHMETIC:
            _require_arithmetic(node.left, constraint)
            _require_arithmetic(node.right, constraint)
            return
        case ast.UnaryOp(op=ast.USub()):
            _require_arithmetic(node.operand, constraint)
            return
    raise ValueError(f"constraint {constraint!r} holds {ast.unparse(node)!r}; {_ALLOWED}")


def _value(node: ast.expr, constraint: str, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.UnaryOp():
            return -_value(node.operand, constraint, values)
        case ast.BinOp():
            left, right = _value(node.left, constraint, values), _value(node.right, constraint, values)
            if isinstance(node.op, ast.Pow) and abs(right) > _LARGEST_EXPONENT:
                raise BadInput(f"constraint {constraint!r}: the exponent is {right}; at most {_LARGEST_EXPONENT}")
            return _ARITHMETIC[type(node.op)](left, right)
        case ast.Name(id=name) if isinstance(values.get(name), int | float):
            return values[name]
        case ast.Name(id=name):
            found = f"is {values[name]!r}" if name in values else "has no value"
            raise BadInput(f"constraint {constraint!r}: {name} {found}; give the model a number for it under params")
    raise AssertionError(f"{constraint!r} was not checked")
