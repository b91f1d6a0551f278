"""Values of widgets that come over links, whose types the host does not check as it does what is typed in."""

from __future__ import annotations

import functools
import inspect
import math
import sys
from typing import Any

from ..wan.numbers import check_number, check_whole, shown
from ._compat import io

LARGEST = sys.float_info.max


def checked(execute):
    """Give a node's ``execute`` numbers and texts of the types that its schema names, and none above their limits.

    A link may bring an INT for a FLOAT, and from a node of another pack whose output fits anything, whatever it likes.

    Raises:
        ValueError: if a value is of another type or too large; names the input.
    """
    names = tuple(inspect.signature(execute).parameters)[1:]

    @functools.wraps(execute)
    def run(cls, *values, **named):
        declared = {found.id: found for found in (cls.SCHEMA or cls.define_schema()).inputs}
        placed = dict(zip(names, values, strict=False))
        given = [{name: _check(declared.get(name), value) for name, value in part.items()} for part in (placed, named)]
        return execute(cls, *given[0].values(), *values[len(names) :], **given[1])

    return run


def _check(declared: io.Input | None, value: Any) -> Any:
    if declared is None:
        return value
    kind = getattr(declared, "input_override", None) or declared
    if isinstance(kind, (io.Int.Input, io.Float.Input)):
        # A number below the least, or a FLOAT that is not finite, is left to what reads it: its message says more.
        most = LARGEST if kind.max is None else kind.max
        if isinstance(kind, io.Int.Input):
            return check_whole(declared.id, value, -math.inf, most)
        if not isinstance(value, float) or math.isfinite(value):
            return float(check_number(declared.id, value, -LARGEST, most))
    if isinstance(kind, io.String.Input) and not isinstance(value, str):
        raise ValueError(f"{declared.id} must be a text, got {shown(value)}.")
    return value
