"""The chunk loop with stand-ins for model and VAE, on whatever devices frames, latents and pixels are.

The video is a pattern that moves evenly. A chunk may come out shifted and darker, for joins and seams to have work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from ..wan import ChunkGuide, ChunkState, GuideSettings, Tools, plan_chunks
from ..wan.families import WAN_I2V
from ..wan.kept_end import KeptEnd
from ..wan.loop import generate, guide_state, make_chunk
from ..wan.motion_tools import MotionTools
from ..wan.prompts import Keyframe
from ..wan.protocols import Family
from .fake_card import CARD, Replay, record, replay

CHUNK, OVERLAP, SVI_OVERLAP = 33, 17, 5
ROOM = 60 << 30
"""Bytes free on the pretended card."""
SPEED = (1.5, 1.0)
"""Pixels per frame."""


@dataclass(frozen=True)
class Places:
    """Devices."""

    frames: str = "cpu"
    """Of finished frames."""
    latents: str = "cpu"
    """Of what the sampler gives out."""
    pixels: str = "cpu"
    """Of what the VAE gives out."""
    given: str = "cpu"
    """Of what a user's pictures come in as: end, region and cuts."""
    host: str = "cpu"
    """What the host computes on."""


@dataclass(frozen=True)
class Scene:
    """What is made: enough to make it again on other devices."""

    settings: GuideSettings
    size: tuple[int, int] = (64, 96)
    """Height and width, multiples of 16."""
    family: Family = WAN_I2V
    off: float = 0.0
    """Pixels by which a continued chunk comes out beside its place; and percent by which it is darker."""
    end: bool = False
    region: bool = False
    reference: bool = False
    cut: bool = False
    """Whether a third chunk starts a scene of its own, and a fourth goes on from there."""
    kept: bool = False
    """Whether the second chunk is to end with frames and latents that are kept."""

    @property
    def overlap(self) -> int:
        return self.settings.fixed_overlap or OVERLAP

    def begin(self, places: Places) -> tuple[ChunkState, Tools]:
        """The state before the first chunk, and the tools to make them all."""
        height, width = self.size
        total, keyframes = 2 * CHUNK - self.overlap, ()
        if self.cut:
            own = pattern(self.size, total, 1, device=places.given)
            keyframes = (Keyframe("", ""), Keyframe("", "", start=2, start_image=own))
            total = 2 * total
        start = pattern(self.size, 0, 1, device=places.frames)
        state = ChunkState(
            plan_chunks(total, chunk_frames=CHUNK, overlap_frames=self.overlap, keyframes=keyframes),
            start,
            self.settings,
            region=torch.full((1, 1, height, width), 0.9, device=places.given) if self.region else None,
            end=pattern(self.size, total, 1, device=places.given) if self.end else None,
            reference=pattern(self.size, total, 1, device=places.given) if self.reference else None,
        )
        vae = CellVae(places)

        def sample(guide: ChunkGuide) -> Tensor:
            request = guide.request
            # Each attempt comes out nearer to its place.
            off = self.off / (1 + guide.attempt) if request.continues else 0.0
            frames = pattern(self.size, request.start, request.length, off=off, device=places.pixels)
            latent = vae.encode(frames.movedim(1, -1) * (1 - off / 100))
            return F.pad(latent, (0, 0, 0, 0, guide.lead, 0)).to(places.latents)

        return state, Tools(vae, sample, motion=on(places.host), family=self.family)

    def continued(self, places: Places) -> tuple[ChunkState, Tools]:
        """The state behind the first chunk."""
        state, tools = self.begin(places)
        state = _add(state, tools)
        if self.kept:
            frames = pattern(self.size, state.plan.total_frames - 8, 8, device=places.frames)
            lead = frames[:1].expand(5, -1, -1, -1)
            latents = tools.vae.encode(torch.cat((lead, frames)).movedim(1, -1))[:, :, -2:]
            state = replace(state, kept_end=KeptEnd(frames, latents, kept=4, exact_frames=4))
        return state, tools


def finish(begun: tuple[ChunkState, Tools]) -> ChunkState:
    """The finished video."""
    return generate(*begun)


def add_chunk(begun: tuple[ChunkState, Tools]) -> ChunkState:
    """The state with one more chunk: a prediction, a join and a measure of its seam."""
    return _add(*begun)


def _add(state: ChunkState, tools: Tools) -> ChunkState:
    return make_chunk(guide_state(state, tools.vae, tools.motion, family=tools.family), tools)


def count_seam(scene: Scene, size: tuple[int, int], places: Places) -> Replay:
    """What a second chunk of a scene asks a card for at another size: what Python reads is recorded at the scene's own,
    where it takes seconds and leads the same way."""
    recording = record(scene.continued, add_chunk, Places())
    with host_device(CARD):
        return replay(recording, replace(scene, size=size).continued, add_chunk, places, scaled=True)


def pattern(size: tuple[int, int], first: int, count: int, *, off: float = 0.0, device: str = "cpu") -> Tensor:
    """``(count, 3, H, W)`` in [0, 1]: two waves that move by :data:`SPEED`, from frame ``first`` on."""
    height, width = size
    x, y = torch.arange(width, device=device).view(1, 1, 1, -1), torch.arange(height, device=device).view(1, 1, -1, 1)
    time = torch.arange(first, first + count, device=device).view(-1, 1, 1, 1)
    gray = torch.sin((x + SPEED[0] * time + off) / 7) * torch.cos((y - SPEED[1] * time) / 5) * 0.4 + 0.5
    return gray.expand(-1, 3, -1, -1) * torch.tensor([1.0, 0.8, 0.9]).to(device).view(1, 3, 1, 1)


class CellVae:
    """Wan's grouping of frames 1 + 4 + 4 + ..., by the mean colors of each cell, a frame in three channels; see
    :class:`~wan.protocols.Vae`."""

    def __init__(self, places: Places) -> None:
        self.places = places

    def encode(self, pixels: Tensor) -> Tensor:
        cells = F.avg_pool2d(pixels.movedim(-1, 1).float(), 8)
        first, later = cells[:1].expand(4, -1, -1, -1), cells[1 : (len(cells) - 1) // 4 * 4 + 1]
        latents = rearrange(torch.cat((first, later)), "(t frame) c h w -> 1 (frame c) t h w", frame=4)
        return F.pad(latents, (0, 0, 0, 0, 0, 0, 0, 4)).to(self.places.latents)

    def decode(self, latent: Tensor) -> Tensor:
        colors = rearrange(latent[:, :12].to(self.places.pixels), "1 (frame c) t h w -> (t frame) c h w", frame=4)
        return F.interpolate(colors[3:], scale_factor=8, mode="bilinear").movedim(1, -1)[None]


def on(device: str) -> MotionTools:
    """What a graph works motion out with where the host computes on a device."""
    from ..wan.host.optical_flow import host_motion

    return replace(host_motion(), device=torch.device(device))


@contextmanager
def host_device(device: str) -> Iterator[None]:
    """The host computes on a device, has room there, and finds its models loaded."""
    from comfy import model_management

    host: Any = model_management  # a module that nobody assigns to, to a type checker
    changed = {
        "get_torch_device": lambda: torch.device(device),
        "free_memory": lambda memory_required, device: [],
        "soft_empty_cache": lambda: None,
        "get_free_memory": lambda device=None, torch_free_too=False: (ROOM, ROOM) if torch_free_too else ROOM,
        "load_models_gpu": lambda *models, **options: None,
    }
    own = {name: getattr(host, name) for name in changed}
    try:
        vars(host).update(changed)
        yield
    finally:
        vars(host).update(own)
