"""Tensors as trees of bytes, as they are stored: nothing is dequantized, and of large weights only a part is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import torch
from torch import Tensor

from .live import WeakIds, serial_of
from .trees import Branch, Tree, Unknown, describe

SAMPLES = 16
"""Numbers at either end of a weight that a model is known by: all of them would take minutes for the large ones."""
BETWEEN = 8
"""Single numbers evenly between those."""
SMALL = 2048
"""Numbers up to which all of a model's weight are read."""
WEIGHT_LIMIT = 10_000_000
"""Numbers up to which all of what may be a weight are read. Other tensors with more than two dimensions are pictures
and videos, where any pixel may be the one that differs: they are read whole."""
CASTS = (torch.float32, torch.bfloat16, torch.float16)
"""Types that the host may load a VAE in."""
CACHED = 2**20
"""Bytes from which on a tensor is not read again as long as a sample of it stays the same."""
RUNTIME = ("orig_dtype",)
"""Parameters of the host's quantized tensors that sampling sets."""

_known: WeakIds[tuple[Any, str]] = WeakIds()


def read_tensor(value: Tensor, *, limit: int | None = None) -> Tree:
    """A tensor as it is stored.

    Args:
        limit: numbers up to which all of them are read; of more, those at both ends and some between. By default
            :data:`WEIGHT_LIMIT` of what may be a weight.
    """
    if "_qdata" in vars(value):
        return _quantized(value, limit)
    with torch.no_grad(), torch._C.DisableTorchFunctionSubclass():
        try:
            return _flattened(value, limit) if hasattr(type(value), "__tensor_flatten__") else _plain(value, limit)
        except (AttributeError, NotImplementedError, RuntimeError, TypeError, ValueError):
            return Unknown(type(value).__qualname__, serial_of(value))


def identify_weights(named: Iterable[tuple[str, Tensor]], backup: Mapping[str, Any] | None = None) -> str:
    """A digest of some numbers of each weight; those that a patch replaced are taken from the host's ``backup``."""
    return describe(read_weights(named, backup))[0]


def read_weights(
    named: Iterable[tuple[str, Tensor]], backup: Mapping[str, Any] | None = None, cast: bool = False
) -> Branch:
    """Some numbers of each weight, see :func:`identify_weights`.

    Args:
        cast: whether weights of one file that are loaded in another floating-point type are the same.
    """
    backup, read = backup or {}, read_cast if cast else read_tensor
    found = [(name, read(backup[name].weight if name in backup else weight, limit=SMALL)) for name, weight in named]
    return Branch("weights", tuple(found))


def read_cast(value: Tensor, *, limit: int) -> Tree:
    """Some numbers of a weight, the same as float32, bfloat16 and float16 unless casting to float16 rounded.

    They are compared as bfloat16 and, where float16 has fewer digits, not at all: rounding a rounded number again
    may give another than rounding it at once.
    """
    if type(value) not in (Tensor, torch.nn.Parameter) or value.dtype not in CASTS or value.device.type == "meta":
        return read_tensor(value, limit=limit)
    with torch.no_grad():
        read = _bytes(value).cpu().numpy().tobytes() if value.numel() <= limit else _sample(value)
        numbers = torch.frombuffer(bytearray(read), dtype=value.dtype).float() if read else torch.empty(0)
        numbers = numbers.where(numbers.abs() >= torch.finfo(torch.float16).tiny, 0.0).bfloat16()
    return f"weight {tuple(value.size())};".encode() + _bytes(numbers).numpy().tobytes()


def _quantized(value: Any, limit: int | None) -> Branch:
    """The host's QuantizedTensor, of either make: what it stores, and its scales."""
    parts = vars(value)
    params = parts.get("_layout_params", parts.get("_params"))
    params = dict(params) if isinstance(params, Mapping) else dict(vars(params)) if hasattr(params, "__dict__") else {}
    items = [("data", read_tensor(parts["_qdata"], limit=limit))]
    items += [(name, _part(part)) for name, part in sorted(params.items()) if name not in RUNTIME]
    return Branch(f"quantized {parts.get('_layout_type', parts.get('_layout_cls'))}", tuple(items))


def _flattened(value: Any, limit: int | None) -> Branch:
    """A tensor that is made of others, as PyTorch asks for them."""
    names, context = value.__tensor_flatten__()
    items = [(name, read_tensor(getattr(value, name), limit=limit)) for name in names]
    return Branch(type(value).__qualname__, (*items, ("context", _part(context))))


def _part(value: Any) -> Tree:
    if isinstance(value, Tensor):
        return read_tensor(value)
    if isinstance(value, Mapping):
        return Branch("{", tuple((str(name), _part(part)) for name, part in sorted(value.items(), key=str)))
    if isinstance(value, (list, tuple)):
        return Branch("[", tuple((f"[{index}]", _part(part)) for index, part in enumerate(value)))
    if isinstance(value, (type(None), str, int, float, torch.dtype)):
        return f"{type(value).__qualname__} {value!r}".encode("utf-8", "surrogatepass")
    return type(value).__qualname__.encode()


def _plain(value: Tensor, limit: int | None) -> Tree:
    shape = getattr(value, "tensor_shape", None)  # ComfyUI-GGUF's: the shape of what is computed with
    kind = f"{value.dtype} {tuple(value.size())}"
    if shape is not None:
        kind += f" {getattr(value, 'tensor_type', None)} {tuple(shape)}"
    if value.device.type == "meta" or torch.nn.parameter.is_lazy(value):
        return f"{kind} without values".encode()
    if value.layout is not torch.strided or value.is_nested:
        return Unknown(f"{value.layout} tensor", serial_of(value))
    if limit is None and (value.dim() <= 2 or isinstance(value, torch.nn.Parameter)):
        limit = WEIGHT_LIMIT
    if limit is not None and value.numel() > limit:
        return f"{kind} in part;".encode() + _sample(value)
    return f"{kind};{_content(value)}".encode()


def _content(value: Tensor) -> str:
    """A digest of all bytes of a tensor."""
    size = value.numel() * value.element_size()
    counted = size >= CACHED and not value.is_inference()  # PyTorch counts how often a tensor is written to, but there
    stamp = (value.data_ptr(), size, value._version, _sample(value)) if counted else None
    known = _known.get(value)
    if stamp is not None and known is not None and known[0] == stamp:
        return known[1]
    found = sha256(_bytes(value).cpu().numpy().data).hexdigest() if size else ""
    if stamp is not None:
        _known.put(value, (stamp, found))
    return found


def _sample(value: Tensor) -> bytes:
    """The numbers at both ends of a tensor and some between, as they are stored."""
    count, size = value.numel(), value.element_size()
    places = [count * part // (BETWEEN + 1) for part in range(1, BETWEEN + 1)]
    if not value.is_contiguous():
        places = [*range(min(SAMPLES, count)), *places, *range(max(count - SAMPLES, 0), count)]
        shape, parts = tuple(value.size()), []
        for place in places:
            index = []
            for length in reversed(shape):
                place, at = divmod(place, length)
                index.append(at)
            parts.append(value[tuple(reversed(index))].reshape(1))
        return _bytes(torch.cat(parts)).cpu().numpy().tobytes()
    stored = _bytes(value)
    ranges = [(0, SAMPLES), *((place, place + 1) for place in places), (max(count - SAMPLES, 0), count)]
    parts = [stored[first * size : last * size] for first, last in ranges]
    return torch.cat(parts).cpu().numpy().tobytes()


def _bytes(value: Tensor) -> Tensor:
    """A tensor's own memory as flat bytes, where it is, whatever its numbers are."""
    value = value.detach().resolve_conj().resolve_neg().contiguous()
    size, offset = value.numel() * value.element_size(), value.storage_offset() * value.element_size()
    return torch.empty(0, dtype=torch.uint8, device=value.device).set_(value.untyped_storage(), offset, (size,), (1,))
