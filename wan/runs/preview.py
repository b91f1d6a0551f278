"""A small film and a still of a kept chunk, beside its file: to look at while the rest is made."""

from __future__ import annotations

import contextlib
import io
from fractions import Fraction
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from .files import write_bytes

FILM, STILL = ".mp4", ".jpg"
SHORTER = 240
"""Pixels of the film's shorter side, at most."""
SMALL = 64
"""Of the still's."""
FASTEST = 1000
"""Frames per second, which the pack takes at most."""


def preview_names(take: str) -> dict[str, str]:
    """What the film and the still of a chunk file are called."""
    stem = take.removesuffix(".safetensors")
    return {"film": stem + FILM, "still": stem + STILL}


def has_preview(path: Path) -> bool:
    """Whether there are both of a chunk file."""
    return all(path.with_name(name).is_file() for name in preview_names(path.name).values())


def write_preview(path: Path, frames: Tensor, fps: float) -> None:
    """Write the film and the still of a chunk file, each as a whole or not at all.

    Args:
        path: of the chunk file.
        frames: ``(n, 3, H, W)`` in [0, 1]: those that the chunk added. A join behind it may still change the last ones.
        fps: frames per second.

    Raises:
        OSError: if the disk does not take them, or no encoder is there that can make them.
    """
    names = preview_names(path.name)
    write_bytes(path.with_name(names["film"]), _encode_film(frames, fps))
    write_bytes(path.with_name(names["still"]), _encode_still(frames[len(frames) // 2]))


def remove_preview(path: Path) -> None:
    """Delete the film and the still of a chunk file, as far as the disk lets go of them."""
    for name in preview_names(path.name).values():
        with contextlib.suppress(OSError):
            path.with_name(name).unlink(missing_ok=True)


def _encode_film(frames: Tensor, fps: float) -> bytes:
    """An H.264 video without sound, which browsers play."""
    import av  # the host's; heavy to import
    from av.codec.codec import UnknownCodecError
    from av.error import FFmpegError

    height, width = (max(2, side // 2 * 2) for side in _fit(frames, SHORTER))  # the encoder takes even sides only
    written = io.BytesIO()
    try:
        with av.open(written, "w", format="mp4") as container:
            stream = container.add_stream("h264", rate=Fraction(round(min(fps, FASTEST) * 1000), 1000))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.options = {"preset": "veryfast", "crf": "26"}
            for frame in frames:
                picture = av.VideoFrame.from_ndarray(_picture(frame, height, width), format="rgb24")
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
    except (FFmpegError, UnknownCodecError) as error:
        raise OSError(f"the film of a chunk cannot be encoded: {error}") from error
    return written.getvalue()


def _encode_still(frame: Tensor) -> bytes:
    from PIL import Image  # the host's; heavy to import

    written = io.BytesIO()
    Image.fromarray(_picture(frame, *_fit(frame, SMALL))).save(written, "JPEG", quality=80)
    return written.getvalue()


def _fit(frames: Tensor, shorter: int) -> tuple[int, int]:
    """Height and width for a shorter side of at most so many pixels."""
    height, width = frames.shape[-2:]
    scale = min(1.0, shorter / min(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _picture(frame: Tensor, height: int, width: int):
    """``(3, H, W)`` in [0, 1] as ``(height, width, 3)`` of 8 bit."""
    small = F.interpolate(frame[None].float().cpu(), (height, width), mode="area")[0]
    return (255 * small.clamp(0, 1)).round().byte().permute(1, 2, 0).contiguous().numpy()
