"""A VIDEO that is read from a kept run frame by frame: its memory does not grow with its length, but for a source."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import torch
from comfy_api.latest import InputImpl
from comfy_api.util import VideoComponents, VideoContainer

from ..wan.chunks import FASTEST, SLOWEST
from ..wan.runs.store import RunStore
from .layout import gather_image, to_image

FRAME_RATE_STEP = 1000


class StoredFrames:
    """The frames of a run in the place of an IMAGE: what the host's encoder asks of one, its shape and frame after
    frame, comes from the disk. For any other attribute, and to be indexed, it is read whole."""

    ndim, dtype, device = 4, torch.float32, torch.device("cpu")

    def __init__(self, store: RunStore):
        self._store = store
        height, width = store.kept[0].read("added")["added"].shape[-2:]
        self.shape = torch.Size((store.given, height, width, 3))

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[torch.Tensor]:
        for frames in self._store.footage():
            yield from to_image(frames)

    def __getitem__(self, index):
        return self.whole()[index]

    def __getattr__(self, name: str):
        if name.startswith("__"):  # how Python looks for what an object can do, such as being copied
            raise AttributeError(name)
        return getattr(self.whole(), name)

    def whole(self) -> torch.Tensor:
        return gather_image(len(self), self._store.footage())


class StoredVideo(InputImpl.VideoFromComponents):
    """The host's VIDEO over a :class:`RunStore`, saved by the host's own encoder."""

    def __init__(self, store: RunStore, fps: float, audio=None):
        self._frames = StoredFrames(store)
        self._components = VideoComponents(images=self._frames, audio=audio, frame_rate=frame_rate(fps))
        super().__init__(self._components)

    def get_components(self) -> VideoComponents:
        """All frames in memory, for nodes that ask for them."""
        return replace(self._components, images=self._frames.whole())

    def get_dimensions(self) -> tuple[int, int]:
        _, height, width, _ = self._frames.shape
        return width, height

    def get_frame_count(self) -> int:
        return len(self._frames)

    def get_frame_rate(self) -> Fraction:
        return self._components.frame_rate

    def get_duration(self) -> float:
        return float(len(self._frames) / self._components.frame_rate)

    def save_to(self, path, format=VideoContainer.AUTO, *more, **options) -> None:
        """Encode the run to a file, or to an open one, for which hosts before 0.16 do not know what to write."""
        if not hasattr(path, "write"):
            return super().save_to(path, format, *more, **options)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"video.{VideoContainer.get_extension(format)}"
            super().save_to(str(file), format, *more, **options)
            with file.open("rb") as encoded:
                shutil.copyfileobj(encoded, path)


def frame_rate(fps: float) -> Fraction:
    """A rate as the host's own videos have it, in thousandths.

    Raises:
        ValueError: if it is none: a linked value may be anything.
    """
    if not SLOWEST <= fps <= FASTEST:
        raise ValueError(f"fps must be from {SLOWEST} to {FASTEST}, got {fps}.")
    return Fraction(round(fps * FRAME_RATE_STEP), FRAME_RATE_STEP)
