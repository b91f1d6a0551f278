"""Estimators of flow by name, and the one way to call them."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from .flow import Flow, FlowEstimator
from .lucas_kanade import estimate_lucas_kanade
from .occlusion import flow_confidence, picture_confidence
from .opencv import dis, farneback

GROUP, GROUP_ON_CARD = 2 * 1024 * 1024, 16 * 1024 * 1024
"""Pixels estimated at once, both directions counted: bounds the working set, whatever the clip's length. A card takes
an overlap of 480p at once, since it spends more time on starting an operation than on a pair."""

AUTO = "auto"
RESERVED = (AUTO, "raft")
"""Names that choose by what is connected."""
OPENCV = ("dis", "farneback")

FAILURES = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
"""What an estimator may raise that is its own affair; not every Exception, since the host's interrupt is one."""

_factories: dict[str, Callable[[], FlowEstimator]] = {}


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device's memory ran out: torch's own error, or one of a driver, which says so in its words alone."""
    own = torch.cuda.OutOfMemoryError  # by the name that every version of torch has
    return isinstance(error, own) or (isinstance(error, RuntimeError) and "out of memory" in str(error).lower())


class FlowError(RuntimeError):
    """An estimator of flow failed, or returned something else than flow; the message says which and how."""


def register_estimator(name: str, factory: Callable[[], FlowEstimator]) -> None:
    """Make an estimator known by name; its factory is called once for every call that asks for it.

    Raises:
        ValueError: if the name is empty, reserved or taken.
    """
    if not name or name in RESERVED or name in _factories:
        taken = ", ".join((*RESERVED, *_factories))
        raise ValueError(f"An estimator needs a name of its own, got {name!r}; taken are {taken}.")
    _factories[name] = factory


def estimator_names() -> tuple[str, ...]:
    """Names to choose from, ``auto`` first: OpenCV's only where it is installed."""
    installed = importlib.util.find_spec("cv2") is not None
    return (*RESERVED, *(name for name in _factories if installed or name not in OPENCV))


def named_estimators() -> tuple[str, ...]:
    """Those that need no model, ``auto`` first."""
    return tuple(name for name in estimator_names() if name != "raft")


def estimate_flow(frames: Tensor, *, estimator: str | FlowEstimator = "auto") -> Flow:
    """Forward flows of a clip.

    Args:
        frames: ``(T, 3, H, W)`` RGB in [0, 1].
        estimator: a registered name, or anything that can be called like a :class:`FlowEstimator`.

    Returns:
        T - 1 flows, flow t from frame t to frame t + 1, with the frames' device and dtype.

    Raises:
        FlowError: if the estimator fails.
        ValueError: for fewer than two frames, or frames that are no pictures.
    """
    check_clip("frames", frames)
    return _join([forward for forward, _ in _estimate(frames[:-1], frames[1:], estimator)])


def estimate_flow_between(a: Tensor, b: Tensor, *, estimator: str | FlowEstimator = "auto") -> Flow:
    """Flow from each frame of ``a`` to its partner in ``b``; see :func:`estimate_both`."""
    _check_pairs(a, b)
    return _join([forward for forward, _ in _estimate(a, b, estimator)])


def estimate_both(a: Tensor, b: Tensor, *, estimator: str | FlowEstimator = "auto") -> tuple[Flow, Flow]:
    """Flow from ``a`` to ``b`` and from ``b`` to ``a``: one is what the other is judged by.

    Args:
        a: ``(N, 3, H, W)`` RGB in [0, 1].
        b: the same shape, dtype and device.
        estimator: a registered name, or anything that can be called like a :class:`FlowEstimator`.

    Returns:
        The forward and the backward flow.

    Raises:
        FlowError: if the estimator fails, or returns something else than one finite flow per pair.
        ValueError: if the frames differ in shape, dtype or device or are no pictures, or the name is unknown.
    """
    _check_pairs(a, b)
    forward, backward = zip(*_estimate(a, b, estimator), strict=True)
    return _join(forward), _join(backward)


def estimate_displacements(
    a: Tensor, b: Tensor, *, estimator: str | FlowEstimator = "auto", checked: bool = False
) -> tuple[Tensor, Tensor]:
    """Both directions as :func:`estimate_both` finds them, ``(N, 2, H, W)`` each, without judging them.

    Args:
        checked: whether the frames are known to be pictures of one kind; to look again waits for their device.
    """
    if not checked:
        _check_pairs(a, b)
    find = find_estimator(estimator)
    forward, backward = zip(*(_displacements(*group, find) for group in _groups(a, b)), strict=True)
    return torch.cat(forward), torch.cat(backward)


def estimate_back(frames: Tensor, *, estimator: str | FlowEstimator = "auto") -> Flow:
    """The flow from each frame of a clip ``(T, 3, H, W)`` to the one before, trusted as far as it leads to the same
    picture; the frames are known to be pictures."""
    forward, backward = estimate_displacements(frames[:-1], frames[1:], estimator=estimator, checked=True)
    return Flow(backward, picture_confidence(frames[1:], frames[:-1], backward, forward))


def group_length(frames: Tensor) -> int:
    """Pairs of frames ``(T, 3, H, W)`` that are estimated at once."""
    group = GROUP if frames.device.type == "cpu" else GROUP_ON_CARD
    return max(1, group // (2 * frames.shape[-2] * frames.shape[-1]))


def check_clip(name: str, frames: Tensor) -> None:
    """Raise ValueError unless ``frames`` are two or more ``(T, 3, H, W)`` floating-point RGB pictures in [0, 1]."""
    check_frames(name, frames)
    if len(frames) < 2:
        raise ValueError(f"{name}: motion needs two frames or more, got {len(frames)}.")


def check_frames(name: str, frames: Tensor) -> None:
    """Raise ValueError unless ``frames`` are ``(N, 3, H, W)`` floating-point RGB in [0, 1]."""
    if frames.ndim != 4 or frames.shape[1] != 3 or 0 in frames.shape:
        raise ValueError(f"{name}: expected RGB frames (N, 3, H, W), got {tuple(frames.shape)}.")
    if not frames.is_floating_point():
        raise ValueError(f"{name}: expected floating point in [0, 1], got {frames.dtype}; divide 8-bit frames by 255.")
    low, high = torch.stack(frames.aminmax()).tolist()
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{name}: holds NaN or infinite pixels. Check what made it.")
    if low < -0.5 or high > 1.5:  # a little beyond is usual in decoded video
        raise ValueError(f"{name}: expected [0, 1], got {low:.3g} to {high:.3g}.")


def _check_pairs(a: Tensor, b: Tensor) -> None:
    check_frames("a", a)
    check_frames("b", b)
    if a.shape != b.shape:
        raise ValueError(f"Motion needs frames of one size, got {tuple(a.shape)} and {tuple(b.shape)}.")
    if (a.dtype, a.device) != (b.dtype, b.device):
        raise ValueError(f"Motion needs frames of one kind, got {a.dtype} on {a.device} and {b.dtype} on {b.device}.")


def find_estimator(estimator: str | FlowEstimator) -> FlowEstimator:
    """What is called for a name, or what is given.

    Raises:
        ValueError: if there is no such name, or what it needs is not installed.
    """
    if not isinstance(estimator, str):
        return estimator
    name = "lucas_kanade" if estimator == AUTO else estimator
    if name == "raft":
        raise ValueError("The flow estimator 'raft' needs a model: pass estimate_raft with one, or choose another.")
    if name not in _factories:
        raise ValueError(f"Unknown flow estimator {name!r}; there are {', '.join(estimator_names())}.")
    return _factories[name]()


def _estimate(a: Tensor, b: Tensor, estimator: str | FlowEstimator) -> Iterator[tuple[Flow, Flow]]:
    """Forward and backward flow of one group of pairs after the other."""
    find = find_estimator(estimator)
    for group in _groups(a, b):
        yield _estimate_group(*group, find)


def _groups(a: Tensor, b: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """As many pairs at a time as are estimated at once."""
    length = group_length(a)
    yield from zip(a.split(length), b.split(length), strict=True)


def _estimate_group(a: Tensor, b: Tensor, find: FlowEstimator) -> tuple[Flow, Flow]:
    forward, backward = _displacements(a, b, find)
    to, back = flow_confidence(a, b, forward, backward), flow_confidence(b, a, backward, forward)
    # Copies: a slice would keep the other direction's memory for as long as it lives.
    return Flow(forward.to(a, copy=True), to.to(a)), Flow(backward.to(a, copy=True), back.to(a))


def _displacements(a: Tensor, b: Tensor, find: FlowEstimator) -> tuple[Tensor, Tensor]:
    """Forward and backward displacement of one group of pairs.

    Raises:
        FlowError: if the estimator fails, or returns something else than one finite flow per pair. Running out of
            memory is no failure of an estimator.
    """
    try:
        found = find(torch.cat((a, b)), torch.cat((b, a)))
    except FAILURES as error:
        if is_out_of_memory(error):
            raise
        raise FlowError(f"The flow estimator failed ({type(error).__name__}): {error}") from error
    if not isinstance(found, Tensor):
        raise FlowError(f"The flow estimator returned {type(found).__name__}, expected a tensor.")
    if found.shape != (2 * len(a), 2, *a.shape[-2:]):
        raise FlowError(
            f"The flow estimator returned {tuple(found.shape)} for {2 * len(a)} pairs of {tuple(a.shape[1:])} frames; "
            f"expected {(2 * len(a), 2, *a.shape[-2:])}."
        )
    # To look waits for the device. The built-in estimator needs no look on a card: who reads its results does.
    if (found.device.type == "cpu" or find is not estimate_lucas_kanade) and not torch.isfinite(found).all():
        raise FlowError("The flow estimator returned displacements that are not finite.")
    forward, backward = found.chunk(2)
    return forward, backward


def _join(flows: Sequence[Flow]) -> Flow:
    return Flow(torch.cat([flow.displacement for flow in flows]), torch.cat([flow.confidence for flow in flows]))


register_estimator("lucas_kanade", lambda: estimate_lucas_kanade)
register_estimator("dis", dis)
register_estimator("farneback", farneback)
