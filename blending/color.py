"""Color held steady from chunk to chunk, by one transform for all of a chunk.

An overlap exists twice: as the end of one chunk and as the head of the next. The pair shows the same things, so that
it tells how the next chunk's colors are off, without guessing. One transform per chunk cannot flicker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from ..motion.warp import exact
from .pictures import check_pictures

SMALL, SHRINK = 64, 4
"""Pixels along the shorter side of the pictures that are compared, or how many times smaller they are at least: things
that are a few pixels apart must not pass for contrast that is lost."""
ROUNDS, OUTLIER, RIDGE = 5, 1.5, 1e-4
"""Of reweighting; robust deviations beyond which a pixel counts less; pull towards no change, per pixel."""
SURE = 1e-4
"""Deviation below which two colors are the same."""
LARGEST_GAIN, LARGEST_SHIFT = 0.15, 0.06
"""How far a transform may go from none: of each entry of its matrix, and of the mean color."""


@dataclass(frozen=True)
class ColorTransform:
    """An affine map of colors: ``out = color @ matrix + bias``, RGB in [0, 1] and beyond."""

    matrix: Tensor
    """``(3, 3)`` float32."""
    bias: Tensor
    """``(3,)`` float32."""

    def __call__(self, frames: Tensor) -> Tensor:
        """``(T, 3 or 4, H, W)`` floating-point frames to the same shape and dtype; alpha is kept."""
        check_pictures("frames", frames)
        picture = exact(frames[:, :3])
        matrix, bias = self.matrix.to(picture), self.bias.to(picture)
        mapped = torch.einsum("tchw,cd->tdhw", picture, matrix) + bias.view(1, 3, 1, 1)
        return torch.cat((mapped.to(frames.dtype), frames[:, 3:]), dim=1)

    def scaled(self, strength: float) -> ColorTransform:
        """The share ``strength`` of the way from no change."""
        eye = torch.eye(3).to(self.matrix)
        return ColorTransform(eye + strength * (self.matrix - eye), strength * self.bias)

    def change(self, frames: Tensor) -> float:
        """Root mean square of what it changes in ``frames`` (T, 3 or 4, H, W), in 8-bit levels."""
        small = _samples("frames", frames)
        return 255 * (small @ self.matrix.to(small) + self.bias.to(small) - small).square().mean().sqrt().item()


def match_color(
    source: Tensor, reference_pair: tuple[Tensor, Tensor], *, strength: float = 1.0, method: str = "affine"
) -> Tensor:
    """Give a clip the colors of another, by frames that both show.

    Args:
        source: ``(T, 3 or 4, H, W)`` floating point, the clip to correct.
        reference_pair: what is off and what it should be: ``(N, 3 or 4, h, w)`` frames of the source's clip, and the
            same number of frames that show the same as they should look; of any floating-point dtypes.
        strength: [0, 1], the share of the correction.
        method: see :data:`METHODS`.

    Returns:
        ``source`` with one transform for all its frames, in its dtype. Values outside [0, 1] are kept.

    Raises:
        ValueError: if frames are not RGB in floating point, the pair's are not of one shape or finite, or an argument
            is out of range.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be in [0, 1], got {strength}.")
    check_pictures("source", source)
    return fit_color(*reference_pair, method=method).scaled(strength)(source)


@torch.no_grad()
def fit_color(own: Tensor, wanted: Tensor, *, method: str = "affine") -> ColorTransform:
    """The transform that gives ``own`` the colors of ``wanted``.

    The default is a least-squares fit of pixel to pixel, reweighted so that what moved or was regenerated does not
    count (``w = 1 / max(1, r / 1.5 s)^2`` with the robust deviation s), and clamped close to no change.

    Args:
        own: ``(N, 3 or 4, H, W)`` RGB, floating point; alpha does not count.
        wanted: ``(N, 3 or 4, H, W)`` RGB, the same frames as they should look, on any device and of any floating-point
            dtype. For ``mean`` and ``mkl`` it may be of another size and count.
        method: ``affine``; ``mean`` shifts; ``mkl`` maps mean and covariance onto each other (Pitie and Kokaram
            2007), for frames that do not show the same.

    Raises:
        ValueError: if the frames are not of one shape, not RGB in floating point, or not finite.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}.")
    x, y = _samples("own", own), _samples("wanted", wanted)
    if (len(own), own.shape[2:]) != (len(wanted), wanted.shape[2:]) and METHODS[method].paired:
        raise ValueError(
            f"Colors are compared pixel by pixel: expected frames of one shape, got {tuple(own.shape)} and "
            f"{tuple(wanted.shape)}."
        )
    # In the better precision of the two, since matrices of two dtypes cannot be multiplied.
    kind = torch.promote_types(x.dtype, y.dtype)
    x, y = x.to(kind), y.to(x.device, kind)
    if not (torch.isfinite(x).all() and torch.isfinite(y).all()):
        raise ValueError("Colors cannot be matched: frames hold NaN or infinite pixels. Check what made them.")
    matrix, mean, wanted_mean = METHODS[method].fit(x, y)
    eye = torch.eye(3).to(matrix)
    matrix = eye + (matrix - eye).clamp(-LARGEST_GAIN, LARGEST_GAIN)
    # Clamped where the colors are: at black, which may be far from them, a gain needs a bias of its own.
    shifted = mean + (wanted_mean - mean).clamp(-LARGEST_SHIFT, LARGEST_SHIFT)
    return ColorTransform(matrix.float(), (shifted - mean @ matrix).float())


def _samples(name: str, frames: Tensor) -> Tensor:
    """Colors ``(n, 3)`` of shrunk frames, float32 or better."""
    check_pictures(name, frames)
    shrink = max(SHRINK, min(frames.shape[-2:]) / SMALL)
    size = [max(1, round(side / shrink)) for side in frames.shape[-2:]]
    picture = F.interpolate(exact(frames[:, :3]), size, mode="area")
    return rearrange(picture, "n c h w -> (n h w) c")


def _paired(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Matrix, mean of x and mean of y, as of the other methods."""
    eye = torch.eye(3).to(x)
    residual = (y - x).norm(dim=1, keepdim=True)  # a transform is close to none: what is far off was regenerated
    for _ in range(ROUNDS):
        deviation = 1.4826 * residual.median().clamp(min=SURE)
        weight = (OUTLIER * deviation / residual.clamp(min=1e-8)).clamp(max=1).square()
        total = weight.sum()
        # Around the mean: matrix and bias do not fight each other, and an even picture moves the bias alone.
        mean_x, mean_y = (weight * x).sum(dim=0) / total, (weight * y).sum(dim=0) / total
        a, b = x - mean_x, y - mean_y
        pull = RIDGE * total * eye
        matrix = torch.linalg.solve((weight * a).T @ a + pull, (weight * a).T @ b + pull)
        residual = (b - a @ matrix).norm(dim=1, keepdim=True)
    return matrix, mean_x, mean_y


def _shift(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return torch.eye(3).to(x), x.mean(dim=0), y.mean(dim=0)


def _monge_kantorovich(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    mean_x, mean_y = x.mean(dim=0), y.mean(dim=0)
    floor = 1e-5 * torch.eye(3).to(x)
    cov_x = (x - mean_x).T @ (x - mean_x) / len(x) + floor
    cov_y = (y - mean_y).T @ (y - mean_y) / len(y) + floor
    root, inverse = _power(cov_x, 0.5), _power(cov_x, -0.5)
    matrix = inverse @ _power(root @ cov_y @ root, 0.5) @ inverse
    return matrix, mean_x, mean_y


def _power(matrix: Tensor, exponent: float) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix.cpu())  # which Apple's GPUs lack
    return ((vectors * values.clamp(min=1e-9).pow(exponent)) @ vectors.T).to(matrix)


@dataclass(frozen=True)
class ColorMethod:
    """A way to fit colors to others."""

    fit: Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
    """Colors ``(n, 3)`` and those wanted to a matrix ``(3, 3)`` and the means of both that it maps onto each other."""
    paired: bool = False
    """Whether it compares pixel by pixel, frames that show the same."""


METHODS: dict[str, ColorMethod] = {
    "affine": ColorMethod(_paired, paired=True),
    "mean": ColorMethod(_shift),
    "mkl": ColorMethod(_monge_kantorovich),
}
"""Robust paired fit; shift of the mean; linear Monge-Kantorovich map of the distributions (Pitie and Kokaram 2007)."""
NO_MATCH = "none"
COLORS = (*METHODS, NO_MATCH)
"""What a color match may be set to; the last leaves colors as they are."""
