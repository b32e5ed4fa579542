"""Converts, checks and describes the values of settings by the types of their fields."""

from __future__ import annotations

import ast
import math
import sys
import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import jax
import numpy as np
from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt

from jaxdep.errors import UserError
from jaxdep.plain import one_line
from jaxdep.settings.kinds import Odd, OneOf, Pattern

_INTERNAL = ("parent", "name", "scope")
_PLAIN = {bool: "True or False", int: "an integer", float: "a number", str: "a string"}


@cache
def kinds_of(declared: Any) -> dict[str, Any]:
    """Types of a class's fields, or a function's arguments, by name, with their constraints."""
    return get_type_hints(declared, include_extras=True)


def convert(value: Any, kind: Any, path: str) -> Any:
    """Converts a value, possibly command-line text, to the type of a setting.

    Text is parsed as a Python literal unless the setting is a string; `1,3` becomes `(1, 3)`, and
    integers become floating-point numbers where those are expected. Traced arrays are not checked.

    Args:
      value: given value.
      kind: type of the setting, with its constraints.
      path: dotted path of the setting, for messages.

    Raises:
      UserError: the value is not what the setting may be.
    """
    if isinstance(value, jax.Array):
        return value
    converted = _as_kind(_parse(value, kind) if isinstance(value, str) else value, kind)
    if not fits(converted, kind):
        raise UserError(f"{path}={_shown(value)}: expected {describe(kind)}")
    return converted


def check(part: Any) -> None:
    """Checks the fields of a dataclass or Flax module by their types.

    Raises:
      UserError: fields have values that they may not have; the message lists all of them.
    """
    problems = [
        f"{type(part).__name__}.{name}={_shown(getattr(part, name))}: expected {describe(kind)}"
        for name, kind in kinds_of(type(part)).items()
        if name not in _INTERNAL and not fits(getattr(part, name), kind)
    ]
    if problems:
        raise UserError("\n".join(problems))


def fits(value: Any, kind: Any) -> bool:
    """Whether a value is what a setting of this type may be; traced arrays always are."""
    base, constraints = _parts(kind)
    if isinstance(value, jax.Array) or base is Any:
        return True
    origin, arguments = get_origin(base), get_args(base)
    if _is_number(base):
        plain = isinstance(value, int | float | np.floating) and not isinstance(value, bool)
        return plain and _is_finite(value) and all(_satisfies(value, c) for c in constraints)
    if origin in (Union, types.UnionType):
        return any(fits(value, each) for each in arguments)
    if origin is Literal:
        return any(value == each and type(value) is type(each) for each in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(each, arguments[0]) for each in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            fits(each, arguments[1]) for each in value.values()
        )
    right_type = type(value) is base if base in _PLAIN else isinstance(value, origin or base)
    return right_type and all(_satisfies(value, constraint) for constraint in constraints)


def describe(kind: Any) -> str:
    """What a setting of this type may be: "an integer from 1 to 65536", "jaf or add"."""
    base, constraints = _parts(kind)
    origin, arguments = get_origin(base), get_args(base)
    if base is Any:
        return "any value"
    if _is_number(base):
        return " ".join(filter(None, ["a number", _range(constraints)]))
    if origin in (Union, types.UnionType):
        return " or ".join(describe(each) for each in arguments)
    if origin is Literal:
        return _either([str(each) for each in arguments])
    if origin is tuple:
        return f"a list, such as 1,3, of elements that are each {describe(arguments[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"settings by name, each {describe(arguments[1])}"
    if base is type(None):
        return "None"
    for constraint in constraints:
        match constraint:
            case OneOf(choices=choices):
                return _either(list(choices))
            case Pattern(text=text):
                return f"a string of {text}"
    name = "an odd integer" if Odd() in constraints else _PLAIN.get(base, base.__name__)
    return " ".join(filter(None, [name, _range(constraints)]))


def _parts(kind: Any) -> tuple[Any, list[Any]]:
    """The type itself, and its constraints."""
    if get_origin(kind) is not Annotated:
        return kind, []
    base, *metadata = get_args(kind)
    return base, list(_flat(metadata))


def _flat(metadata: list[Any]) -> Iterator[Any]:
    for constraint in metadata:
        yield from constraint if isinstance(constraint, GroupedMetadata) else [constraint]


def _is_number(base: Any) -> bool:
    """Whether a type is a floating-point number, possibly traced."""
    union = get_origin(base) in (Union, types.UnionType) and type(None) not in get_args(base)
    return base is float or (union and float in get_args(base))


def _satisfies(value: Any, constraint: Any) -> bool:
    match constraint:
        case Ge(ge=bound):
            return value >= bound
        case Gt(gt=bound):
            return value > bound
        case Le(le=bound):
            return value <= bound
        case Lt(lt=bound):
            return value < bound
        case Odd():
            return value % 2 == 1
        case OneOf(choices=choices):
            return value in choices
        case Pattern():
            return constraint.matches(value)
    raise TypeError(f"unknown constraint {constraint!r}")


def _range(constraints: list[Any]) -> str:
    words = []
    for constraint in constraints:
        match constraint:
            case Ge(ge=bound):
                words.append(f"of at least {bound}")
            case Gt(gt=bound):
                words.append(f"above {bound}")
            case Le(le=bound):
                words.append(f"at most {bound}")
            case Lt(lt=bound):
                words.append(f"below {bound}")
    return " and ".join(words)


def _parse(text: str, kind: Any) -> Any:
    base, _ = _parts(kind)
    origin, arguments = get_origin(base), get_args(base)
    if base is str or (origin is Literal and text in arguments):
        return text
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):  # `{[]: 1}`, `((((`
        is_list = origin is tuple and "," in text
        return tuple(part.strip() for part in text.split(",")) if is_list else text


def _as_kind(value: Any, kind: Any) -> Any:
    """Lists become tuples, single elements of a list a tuple, integers floats where expected."""
    base, _ = _parts(kind)
    origin, arguments = get_origin(base), get_args(base)
    if isinstance(value, list):
        value = tuple(value)
    if origin is tuple:
        elements = value if isinstance(value, tuple) else (value,)
        return tuple(_as_kind(each, arguments[0]) for each in elements)
    if type(None) in arguments and value is not None:
        return _as_kind(value, next(each for each in arguments if each is not type(None)))
    return float(value) if _is_number(base) and type(value) is int and _is_finite(value) else value


def _is_finite(value: Any) -> bool:
    """Whether a float can hold a number; integers may be larger than any float."""
    return abs(value) <= sys.float_info.max if type(value) is int else math.isfinite(value)


def _either(words: list[str]) -> str:
    return ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else words[0]


def _shown(value: Any) -> str:
    return one_line(value if isinstance(value, str) else repr(value), 80)
