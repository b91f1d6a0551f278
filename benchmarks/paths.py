"""A sprite's clips along any path, as latents, without painting each: a table of one frame's part in them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from ..tiny.scenes import Appearance, sprite_layer
from ..tiny.teacher import PATCH
from ..wan.latents import TEMPORAL_STRIDE
from .ideal_denoiser import SIZE, TeacherVae, World

SPACING = 0.5
"""Pixels between the places of the table; the cubic between them is off by less than the noise of any step."""
LOWEST, HIGHEST = 10.0, 54.0
"""Pixels: where sprite centers may be. A path that leads further stops there."""


def paint(world: World, centers: Tensor) -> Tensor:
    """Frames ``(N, 3, H, W)`` in [0, 1] of the world's sprite at ``centers`` (N, 2)."""
    one = Appearance(*(value[:1] for value in vars(world.appearance).values()))
    alpha, texture = sprite_layer(one, 0, centers[None], SIZE)
    return (world.ground * (1 - alpha) + texture * alpha)[0]


class PathCoder:
    """Latents of clips of one world: the teacher's code is linear, and so a sum over what each frame adds."""

    def __init__(self, world: World, vae: TeacherVae):
        places = LOWEST + SPACING * torch.arange(-1, round((HIGHEST - LOWEST) / SPACING) + 3)
        self.side = len(places)
        grid = torch.cartesian_prod(places, places).flip(1)  # (P, 2) as x, y; rows of one y follow each other
        self.base = vae.code(world.ground.expand(1, 1 + TEMPORAL_STRIDE, -1, -1, -1))  # (1, 16, 2, h, w)
        teacher = vae.teacher
        bases = torch.cat((teacher.frame_basis[None], teacher.group_basis.unflatten(0, (TEMPORAL_STRIDE, -1))))
        kernel = rearrange(bases / vae.deviation.flatten(), "k (c y x) o -> (k o) c y x", c=3, y=PATCH)
        parts = [F.conv2d(2 * (paint(world, some) - world.ground[0]), kernel, stride=PATCH) for some in grid.split(256)]
        self.table = rearrange(torch.cat(parts), "p (k o) h w -> (k p) (o h w)", k=1 + TEMPORAL_STRIDE)
        """What a frame adds to its latent, for the first of all and each of four, at each place."""

    def code(self, centers: Tensor) -> Tensor:
        """Latents ``(N, 16, t, h, w)``, the model's space, of the sprite along ``centers`` (N, 4n + 1, 2)."""
        index, weight = self._taps(centers)  # (N, T, 16)
        kind = (torch.arange(centers.shape[1]) - 1) % TEMPORAL_STRIDE + 1
        kind[0] = 0
        index = index + (kind * self.side**2).view(1, -1, 1)
        parts = [self._sum(index[:, :1], weight[:, :1], 1), self._sum(index[:, 1:], weight[:, 1:], TEMPORAL_STRIDE)]
        added = torch.cat(parts, dim=2)
        return added + self.base[:, :, [0, *[1] * (added.shape[2] - 1)]]

    def _sum(self, index: Tensor, weight: Tensor, frames: int) -> Tensor:
        count = len(index)
        index, weight = (rearrange(each, "n (t f) taps -> (n t) (f taps)", f=frames) for each in (index, weight))
        rows = F.embedding_bag(index, self.table, mode="sum", per_sample_weights=weight)
        _, channels, _, height, _ = self.base.shape
        return rearrange(rows, "(n t) (o h w) -> n o t h w", n=count, o=channels, h=height)

    def _taps(self, centers: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of the table around each place, and the weights of a cubic through them (Catmull and Rom 1974)."""
        at = (centers.clamp(LOWEST, HIGHEST) - LOWEST) / SPACING + 1  # in the table's places
        base = at.floor().clamp(1, self.side - 3)
        t = (at - base)[..., None]
        cubic = torch.cat(
            (
                ((2 - t) * t - 1) * t / 2,
                ((3 * t - 5) * t * t + 2) / 2,
                ((4 - 3 * t) * t + 1) * t / 2,
                (t - 1) * t * t / 2,
            ),
            dim=-1,
        )  # (N, T, 2, 4)
        place = base[..., None].long() + torch.arange(-1, 3)
        index = place[..., 1, :, None] * self.side + place[..., 0, None, :]
        return index.flatten(-2), (cubic[..., 1, :, None] * cubic[..., 0, None, :]).flatten(-2)
