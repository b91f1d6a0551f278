"""Code on a card that is not there: what it launches, copies and waits for, line by line.

A real run on the CPU records every value that Python reads of a tensor. The same code then runs under torch's
FakeTensorMode, where tensors have a shape and a device and no content, and is given the recorded values back. A device
mismatch fails there as on a card. A launch is an operation that is no view and no allocation; a few, such as a median,
are several kernels on a real card.
"""

from __future__ import annotations

import weakref
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from .card_counts import SHIPPED, Counts, line_now
from .card_rules import NOTHING, check_devices, dtype_of, gives_size, gives_value

CARD = "cuda:0"
WHOLE = (torch.Tensor.tolist, torch.Tensor.numpy, torch.Tensor.__array__)
"""Reads of a whole tensor, which on the CPU pass the dispatcher by."""
Values = dict[tuple[str, str], list]
"""What was read, by line and operation, in order."""


class CardError(RuntimeError):
    """What would have failed on a card, by line."""


@dataclass(frozen=True)
class Recording:
    """A real run on the CPU."""

    values: Values
    result: Any


@dataclass(frozen=True)
class Replay:
    """The same run on the pretended card."""

    lines: dict[str, Counts]
    """By ``file:line`` of the innermost line of the pack or the host; of setups, nothing."""
    result: Any
    peak: int
    """Bytes on the card that were alive at once, those that a setup left there included."""
    peak_line: str
    left: int
    """Recorded values that were not asked for."""

    def ours(self) -> dict[str, Counts]:
        """Lines of the pack alone."""
        return {line: counts for line, counts in self.lines.items() if line.split("/")[0] in SHIPPED}

    def total(self) -> Counts:
        """Of our lines together."""
        return sum(self.ours().values(), Counts())


def record(setup: Callable[[Any], Any], work: Callable[[Any], Any], places: Any) -> Recording:
    """Run ``work(setup(places))`` for real."""
    mode = _Recorder()
    with _plain_gradless(), mode, _WholeReads(mode):
        result = work(setup(places))
    return Recording(dict(mode.values), result)


def replay(
    recording: Recording, setup: Callable[[Any], Any], work: Callable[[Any], Any], places: Any, *, scaled: bool = False
) -> Replay:
    """Run ``work(setup(places))`` on fake tensors; only the work is counted.

    Args:
        scaled: whether sizes differ from the recording's, so that some lines may read more often; they are given their
            last value again.

    Raises:
        CardError: if any operation failed, even if the code under test went on without it.
    """
    mode = _Replayer(recording.values, scaled)
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    try:
        with _plain_gradless(), fake, mode, _WholeReads(mode), _whole_lists(mode):
            prepared = setup(places)
            mode.begin()
            result = work(prepared)
    except RuntimeError as error:
        raise CardError("\n".join(mode.errors) or str(error)) from error
    if mode.errors:  # and the code under test went on without what failed
        raise CardError("\n".join(mode.errors))
    left = sum(len(values) for values in mode.values.values())
    return Replay(dict(mode.lines), result, mode.peak, mode.peak_line, left)


@contextmanager
def _plain_gradless() -> Iterator[None]:
    """Under inference mode some operations reach a dispatch mode undivided."""
    with torch.inference_mode(False), torch.no_grad():
        yield


@contextmanager
def _whole_lists(mode: _Replayer) -> Iterator[None]:
    """Fake tensors make a list of their elements one by one, and tell nobody that they were asked for a list."""
    own = FakeTensor.tolist
    FakeTensor.tolist = lambda self: mode.read_whole("tolist", self, list)
    try:
        yield
    finally:
        FakeTensor.tolist = own


class _Watch(TorchDispatchMode):
    """What both modes have in common."""

    quiet = False
    """Whether the dispatcher's own reads are part of one that is known already."""

    def read_whole(self, name: str, tensor: Tensor, call: Callable[[], Any]) -> Any:
        """What Python gets of a whole tensor by the method ``name``."""
        raise NotImplementedError


class _Recorder(_Watch):
    def __init__(self) -> None:
        super().__init__()
        self.values: Values = defaultdict(list)

    def read_whole(self, name, tensor, call):
        self.quiet = True
        try:
            found = call()
        finally:
            self.quiet = False
        self.values[line_now(), name].append(found)
        return found

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        if not self.quiet and gives_value(func):
            self.values[line_now(), str(func)].append(found)
        elif not self.quiet and gives_size(func, args):
            self.values[line_now(), str(func)].append([tuple(each.shape) for each in tree_leaves(found)])
        return found


class _Replayer(_Watch):
    """On top of FakeTensorMode."""

    def __init__(self, values: Values, scaled: bool) -> None:
        super().__init__()
        self.values = {key: deque(found) for key, found in values.items()}
        self.scaled, self.counting = scaled, False
        self.lines: dict[str, Counts] = defaultdict(Counts)
        self.errors: list[str] = []
        self.live: dict[int, weakref.ref] = {}
        self.now = self.peak = 0
        self.peak_line = ""

    def begin(self) -> None:
        """From here on it counts."""
        self.counting, self.peak = True, self.now

    def read_whole(self, name, tensor, call):
        return self._read(name, [tensor], line_now())

    def _read(self, name: str, tensors: list[Tensor], line: str) -> Any:
        if any(tensor.device.type == "cuda" for tensor in tensors):
            self._count(line, Counts(reads=1))
        values = self.values.get((line, name))
        if not values:
            self.errors.append(f"{line}: {name}: no value was recorded")
            raise CardError(self.errors[-1])
        return values[0] if self.scaled and len(values) == 1 else values.popleft()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func.is_view:
            return func(*args, **kwargs)
        line = line_now()
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        try:
            check_devices(func, args, tensors)
            if gives_value(func):
                return self._read(str(func), tensors, line)
            if gives_size(func, args):
                shapes = self._read(str(func), tensors, line)
                like = [args[0].new_empty(shape, dtype=dtype_of(func, args[0])) for shape in shapes]
                return like[0] if len(like) == 1 else tuple(like)
            found = func(*args, **kwargs)
        except CardError:
            raise
        except RuntimeError as error:
            self.errors.append(f"{line}: {func}: {str(error)[:300]}")
            raise
        self._look(func, args, tensors, found, line)
        return found

    def _look(self, func, args, tensors: list[Tensor], found, line: str) -> None:
        made = [each for each in tree_leaves(found) if isinstance(each, Tensor)]
        if not any(each.device.type == "cuda" for each in (*made, *tensors)):
            return
        name = func._schema.name.split("::")[1]
        source = tensors[-1] if name == "copy_" else tensors[0] if tensors else made[0]
        if name in ("_to_copy", "copy_") and source.device != made[0].device:
            size = source.numel() * source.element_size()
            down = source.device.type == "cuda"
            self._count(line, Counts(down=1, down_bytes=size) if down else Counts(up=1, up_bytes=size))
        elif func.namespace != "prim" and name not in NOTHING:
            self._count(line, Counts(launches=1))
        for each in made:
            if each.device.type == "cuda":
                self._keep(each.untyped_storage(), line)

    def _count(self, line: str, counts: Counts) -> None:
        if self.counting:
            self.lines[line] += counts

    def _keep(self, storage, line: str) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key not in self.live:
            self.live[key] = weakref.ref(storage, lambda _: self._drop(key, size))
            self.now += size
            if self.now > self.peak:
                self.peak, self.peak_line = self.now, line

    def _drop(self, key: int, size: int) -> None:
        if self.live.pop(key, None) is not None:
            self.now -= size


class _WholeReads(TorchFunctionMode):
    """Reads of whole tensors, which the dispatcher sees none of on the CPU and one for each element elsewhere."""

    def __init__(self, mode: _Watch) -> None:
        super().__init__()
        self.mode = mode

    def __torch_function__(self, func, types, args=(), kwargs=None):
        def call():
            return func(*args, **(kwargs or {}))

        if func not in WHOLE:
            return call()
        return self.mode.read_whole(func.__name__, args[0], call)
