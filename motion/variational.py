"""Variational refinement of a flow: robust data and smoothness terms, solved by red-black relaxation.

Minimises, over the flow (u, v), the sum over pixels of
``delta * psi(brightness) + gamma * psi(gradient) + alpha * psi(|grad u|^2 + |grad v|^2)``, with
``psi(s^2) = sqrt(s^2 + eps^2)`` and both data terms normalized by the picture's own slope (Brox et al. 2004;
Zimmer et al. 2011). The weights, for brightness in 0 to 255, are OpenCV's VariationalRefinement's, but for a
gamma half as large again: small smooth shapes keep more of their motion.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .pyramid import gradient, slope
from .warp import backward_warp, lands_inside

ALPHA, GAMMA, DELTA = 20.0, 15.0, 5.0
EPSILON = 1e-3
ZETA = 0.01
"""Squared slope below which the data terms' normalization fades out."""
RELAXATION = 1.7


def refine(
    template: Tensor, picture: Tensor, displacement: Tensor, *, warps: int = 1, reweightings: int = 3, sweeps: int = 6
) -> Tensor:
    """Improve a flow that is right within a pixel or two.

    Args:
        template: ``(N, 1, H, W)`` in [0, 1], even H and W.
        picture: ``(N, 1, H, W)``, where the flow leads.
        displacement: ``(N, 2, H, W)`` pixels.
        warps: linearisations of the picture.
        reweightings: of the robust terms per linearisation.
        sweeps: of the linear solver per reweighting.

    Returns:
        ``(N, 2, H, W)`` pixels.
    """
    for _ in range(warps):
        data = _DataTerm(template, picture, displacement)
        base, step = displacement, torch.zeros_like(displacement)
        for _ in range(reweightings):
            step = _relax(data, base, step, sweeps)
        displacement = base + step
    return displacement


class _DataTerm:
    """Brightness and gradient constancy, linearised about a flow: quadratic in the step but for the weights."""

    def __init__(self, template: Tensor, picture: Tensor, displacement: Tensor):
        warped = backward_warp(picture, displacement) * 255
        template = template * 255
        mean, change = (template + warped) * 0.5, warped - template
        ix, iy = gradient(mean)
        (ixx, ixy), iyy = gradient(ix), slope(iy, -2)
        ixt, iyt = gradient(change)
        inside = lands_inside(displacement).to(template.dtype)
        scale = torch.rsqrt(ix * ix + iy * iy + ZETA)
        scale_x, scale_y = torch.rsqrt(ixx * ixx + ixy * ixy + ZETA), torch.rsqrt(iyy * iyy + ixy * ixy + ZETA)
        self.weights = DELTA * 0.5 * inside, GAMMA * 0.5 * inside
        # Rows (slope along x, slope along y, residual) of three normalized linear equations.
        self.brightness = ix * scale, iy * scale, change * scale
        self.gradient_x = ixx * scale_x, ixy * scale_x, ixt * scale_x
        self.gradient_y = ixy * scale_y, iyy * scale_y, iyt * scale_y

    def system(self, step: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """``a11, a12, a22, b1, b2`` of the normal equations, with the robust weights that hold at ``step``."""
        du, dv = step.split(1, dim=1)

        def residual(row: tuple[Tensor, Tensor, Tensor]) -> Tensor:
            return torch.addcmul(row[2], row[0], du).addcmul_(row[1], dv).square_()

        bright, steep = self.weights
        bright = bright * (residual(self.brightness) + EPSILON**2).rsqrt_()
        steep = steep * (residual(self.gradient_x) + residual(self.gradient_y) + EPSILON**2).rsqrt_()

        def normal(i: int, j: int) -> Tensor:
            total = self.gradient_x[i] * self.gradient_x[j]
            total.addcmul_(self.gradient_y[i], self.gradient_y[j]).mul_(steep)
            return total.addcmul_(self.brightness[i] * self.brightness[j], bright)

        return normal(0, 0), normal(0, 1), normal(1, 1), -normal(0, 2), -normal(1, 2)


def _relax(data: _DataTerm, base: Tensor, step: Tensor, sweeps: int) -> Tensor:
    """Solve for the step with the weights frozen: ``(N, 2, H, W)``."""
    a11, a12, a22, b1, b2 = data.system(step)
    right, down = _smoothness(base + step)
    left, up = F.pad(right, (1, 0))[..., :-1], F.pad(down, (0, 0, 1, 0))[..., :-1, :]
    total = right + left + down + up
    # The smoothness of the base enters the right-hand side: the divergence of the weighted gradient.
    across = F.pad(base[..., 1:] - base[..., :-1], (0, 1)) * right
    along = F.pad(base[..., 1:, :] - base[..., :-1, :], (0, 0, 0, 1)) * down
    known = torch.cat((b1, b2), dim=1) + across - F.pad(across, (1, 0))[..., :-1]
    known = known + along - F.pad(along, (0, 0, 1, 0))[..., :-1, :]
    # Inverse of [[a11 + total, a12], [a12, a22 + total]], per pixel.
    a11, a22 = a11 + total, a22 + total
    determinant = torch.addcmul(a11 * a22, a12, a12, value=-1)
    inverse = torch.cat((a22, a11), dim=1) / determinant
    mixed = -a12 / determinant
    lattice = _Lattice(step, known, inverse, mixed, right, left, down, up)
    for _ in range(sweeps):
        lattice.sweep()
    return lattice.merged()


def _smoothness(flow: Tensor) -> tuple[Tensor, Tensor]:
    """Diffusivity of the edges to the right and downwards: ``(N, 1, H, W)`` each, 0 at the border."""
    across = F.pad(flow[..., 1:] - flow[..., :-1], (0, 1))
    along = F.pad(flow[..., 1:, :] - flow[..., :-1, :], (0, 0, 0, 1))
    slope = (across.square() + along.square()).sum(dim=1, keepdim=True)
    diffusivity = (ALPHA * 0.5) * torch.rsqrt(slope + EPSILON**2)
    right = F.pad((diffusivity[..., 1:] + diffusivity[..., :-1]) * 0.5, (0, 1))
    down = F.pad((diffusivity[..., 1:, :] + diffusivity[..., :-1, :]) * 0.5, (0, 0, 0, 1))
    return right, down


class _Lattice:
    """A red-black solver on four sublattices (row parity, column parity), each contiguous.

    Red cells (0, 0) and (1, 1) have only black neighbors and the other way round, so that a color is
    updated in place and at once, with no work thrown away on the other.
    """

    def __init__(self, step, known, inverse, mixed, right, left, down, up):
        def split(tensor: Tensor) -> dict[tuple[int, int], Tensor]:
            return {(r, c): tensor[..., r::2, c::2].contiguous() for r in (0, 1) for c in (0, 1)}

        self.step, self.known, self.inverse, self.mixed = split(step), split(known), split(inverse), split(mixed)
        self.right, self.left, self.down, self.up = split(right), split(left), split(down), split(up)

    def sweep(self) -> None:
        for cell in ((0, 0), (1, 1), (0, 1), (1, 0)):
            self._update(*cell)

    def _update(self, r: int, c: int) -> None:
        cell = r, c
        beside, above = self.step[r, 1 - c], self.step[1 - r, c]
        right, left, down, up = self.right[cell], self.left[cell], self.down[cell], self.up[cell]
        if c == 0:  # its right neighbor has its own index, its left one the index before
            total = torch.addcmul(self.known[cell], right, beside)
            total[..., 1:].addcmul_(left[..., 1:], beside[..., :-1])
        else:
            total = torch.addcmul(self.known[cell], left, beside)
            total[..., :-1].addcmul_(right[..., :-1], beside[..., 1:])
        if r == 0:
            total.addcmul_(down, above)
            total[..., 1:, :].addcmul_(up[..., 1:, :], above[..., :-1, :])
        else:
            total.addcmul_(up, above)
            total[..., :-1, :].addcmul_(down[..., :-1, :], above[..., 1:, :])
        solved = (self.inverse[cell] * total).addcmul_(self.mixed[cell], total.flip(1))
        self.step[cell].lerp_(solved, RELAXATION)

    def merged(self) -> Tensor:
        example = self.step[0, 0]
        n, channels, h, w = example.shape
        merged = example.new_empty(n, channels, 2 * h, 2 * w)
        for (r, c), part in self.step.items():
            merged[..., r::2, c::2] = part
        return merged
