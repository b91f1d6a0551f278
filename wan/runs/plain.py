"""Dataclasses of plain values as JSON has them, and back again, each value checked for what it is."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from .names import printable

MOST = 2**31
"""Of any number, either way."""
LONGEST = 1000
"""Items of a list, and characters of a text."""


def to_plain(value: Any) -> Any:
    """A dataclass, or what one may hold, as JSON can hold it; numbers beyond all bounds become the bound."""
    if isinstance(value, Enum):
        return value.name
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, float):
        return 0.0 if math.isnan(value) else min(max(value, -float(MOST)), float(MOST))
    if isinstance(value, str):
        return printable(value)[:LONGEST]
    return value


def from_plain(kind: Any, value: Any) -> Any:
    """What :func:`to_plain` made, of the type ``kind``: a dataclass, enum, named tuple, number, text, or tuple of such.

    Raises:
        ValueError: if it is anything else, whatever it is.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        (kind,) = (each for each in inner if each is not type(None))
        return from_plain(kind, value)
    if origin is tuple:
        return _tuple(inner, value)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        names = [field.name for field in fields(kind)]
        if not isinstance(value, Mapping) or set(value) != set(names):
            raise ValueError(f"{kind.__name__} must be {', '.join(names)}")
        return kind(**{name: from_plain(hints[name], value[name]) for name in names})
    if issubclass(kind, Enum):
        if not isinstance(value, str) or value not in kind.__members__:
            raise ValueError(f"{kind.__name__} must be one of {', '.join(kind.__members__)}")
        return kind[value]
    if issubclass(kind, tuple):  # a named one
        return kind(*_tuple(tuple(get_type_hints(kind).values()), value))
    return _scalar(kind, value)


def _tuple(inner: tuple[Any, ...], value: Any) -> tuple:
    if not isinstance(value, list) or len(value) > LONGEST:
        raise ValueError("a list must be one, and not long")
    if inner[-1:] == (...,):
        inner = (inner[0],) * len(value)
    if len(value) != len(inner):
        raise ValueError(f"a list must have {len(inner)} items, got {len(value)}")
    return tuple(from_plain(each, item) for each, item in zip(inner, value, strict=True))


def _scalar(kind: type, value: Any) -> Any:
    if kind is float and type(value) is int:
        value = float(value) if abs(value) <= MOST else value
    if type(value) is not kind:
        raise ValueError(f"a {kind.__name__} must be one, got {type(value).__name__}")
    if kind in (int, float) and not abs(value) <= MOST:
        raise ValueError(f"a number must be within {MOST}")
    if kind is str and not (len(value) <= LONGEST and value.isprintable()):
        raise ValueError(f"a text must be printable, of {LONGEST} characters at most")
    return value
