"""A VIDEO that is read from a kept run frame by frame: its memory does not grow with its length."""

from __future__ import annotations

import json
from fractions import Fraction

import av
from comfy_api.latest import Input, InputImpl
from comfy_api.util import VideoCodec, VideoComponents, VideoContainer

from ..wan.run_store import RunStore
from .layout import gather_image, to_image

FRAME_RATE_STEP = 1000


class StoredVideo(Input.Video):
    """The host's VIDEO over a :class:`RunStore`."""

    def __init__(self, store: RunStore, fps: float):
        self._store, self._rate = store, frame_rate(fps)

    def get_components(self) -> VideoComponents:
        """All frames in memory, for nodes that ask for them."""
        return VideoComponents(
            images=gather_image(self._store.frames, self._store.footage()), audio=None, frame_rate=self._rate
        )

    def get_dimensions(self) -> tuple[int, int]:
        height, width = self._store.kept[0].read("added")["added"].shape[-2:]
        return width, height

    def get_frame_count(self) -> int:
        return self._store.frames

    def get_frame_rate(self) -> Fraction:
        return self._rate

    def get_duration(self) -> float:
        return float(self._store.frames / self._rate)

    def as_trimmed(self, start_time=None, duration=None, strict_duration=False):
        """A part of the video; newer hosts ask every VIDEO for it."""
        whole = InputImpl.VideoFromComponents(self.get_components())
        return whole.as_trimmed(start_time, duration, strict_duration)

    def save_to(self, path, format=VideoContainer.AUTO, codec=VideoCodec.AUTO, metadata=None, **more) -> None:
        """Encode the run as H.264 in MP4, with the workflow as the host's own videos carry it."""
        if format not in (VideoContainer.AUTO, VideoContainer.MP4):
            raise ValueError(f"format: a kept run is saved as mp4, got {format}.")
        if codec not in (VideoCodec.AUTO, VideoCodec.H264):
            raise ValueError(f"codec: a kept run is saved as h264, got {codec}.")
        width, height = self.get_dimensions()
        options = {"movflags": "use_metadata_tags"}
        container = None if isinstance(path, str) else "mp4"
        with av.open(path, mode="w", format=container, options=options) as output:
            for key, value in (metadata or {}).items():
                output.metadata[key] = json.dumps(value)
            stream = output.add_stream("h264", rate=self._rate)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for frames in self._store.footage():
                for frame in to_image(frames):
                    # As the host's own videos are written, so that both are equal.
                    picture = (frame * 255).clamp(0, 255).byte().numpy()
                    shown = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
                    output.mux(stream.encode(shown))
            output.mux(stream.encode(None))


def frame_rate(fps: float) -> Fraction:
    """A rate as the host's own videos have it, in thousandths."""
    return Fraction(round(fps * FRAME_RATE_STEP), FRAME_RATE_STEP)
