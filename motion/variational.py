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
from .relaxation import relax
from .warp import backward_warp, lands_inside

ALPHA, GAMMA, DELTA = 20.0, 15.0, 5.0
EPSILON = 1e-3
ZETA = 0.01
"""Squared slope below which the data terms' normalization fades out."""
PRODUCTS = ((0, 0), (0, 1), (1, 1), (0, 2), (1, 2))
"""Pairs of a row's entries whose products make the normal equations."""


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
            step = _solve(data, base, step, sweeps)
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
        # Three normalized linear equations: their slopes along x and y, and what is left over, (N, 3, H, W) each.
        scales = torch.cat((scale, scale_x, scale_y), dim=1)
        self.rows = [torch.cat(parts, dim=1) * scales for parts in ((ix, ixx, ixy), (iy, ixy, iyy), (change, ixt, iyt))]
        # Products of x and x, x and y, y and y, and of each with the rest, which every reweighting weighs anew.
        self.bright, self.steep = (mean.new_empty(len(mean), len(PRODUCTS), *mean.shape[-2:]) for _ in range(2))
        for index, (i, j) in enumerate(PRODUCTS):
            product = self.rows[i] * self.rows[j]
            self.bright[:, index] = product[:, 0]
            torch.add(product[:, 1], product[:, 2], out=self.steep[:, index])

    def system(self, step: Tensor) -> Tensor:
        """``(N, 5, H, W)``: a11, a12, a22, -b1, -b2 of the normal equations, with the robust weights that hold at
        ``step``."""
        du, dv = step.split(1, dim=1)
        along_x, along_y, left = self.rows
        residual = torch.addcmul(left, along_x, du).addcmul_(along_y, dv).square_()
        bright, steep = self.weights
        bright = bright * (residual[:, :1] + EPSILON**2).rsqrt_()
        steep = steep * (residual[:, 1:2] + residual[:, 2:] + EPSILON**2).rsqrt_()
        return (self.steep * steep).addcmul_(self.bright, bright)


def _solve(data: _DataTerm, base: Tensor, step: Tensor, sweeps: int) -> Tensor:
    """Solve for the step with the weights frozen: ``(N, 2, H, W)``."""
    system = data.system(step)
    (a11, a12, a22), against = system[:, :3].split(1, dim=1), system[:, 3:]
    right, down = _smoothness(base + step)
    total = right + down  # of all four edges of a pixel
    total[..., 1:].add_(right[..., :-1])
    total[..., 1:, :].add_(down[..., :-1, :])
    # The smoothness of the base enters the right-hand side: the divergence of the weighted gradient.
    across = F.pad(base[..., 1:] - base[..., :-1], (0, 1)) * right
    along = F.pad(base[..., 1:, :] - base[..., :-1, :], (0, 0, 0, 1)) * down
    known = across - against
    known[..., 1:].sub_(across[..., :-1])
    known.add_(along)
    known[..., 1:, :].sub_(along[..., :-1, :])
    # Inverse of [[a11 + total, a12], [a12, a22 + total]], per pixel.
    a11.add_(total)
    a22.add_(total)
    determinant = torch.addcmul(a11 * a22, a12, a12, value=-1)
    inverse = torch.cat((a22, a11), dim=1) / determinant
    mixed = -a12 / determinant
    return relax(step, known, inverse, mixed, right, down, sweeps)


def _smoothness(flow: Tensor) -> tuple[Tensor, Tensor]:
    """Diffusivity of the edges to the right and downwards: ``(N, 1, H, W)`` each, 0 at the border."""
    across = F.pad(flow[..., 1:] - flow[..., :-1], (0, 1))
    along = F.pad(flow[..., 1:, :] - flow[..., :-1, :], (0, 0, 0, 1))
    slope = (across.square() + along.square()).sum(dim=1, keepdim=True)
    diffusivity = (ALPHA * 0.5) * torch.rsqrt(slope + EPSILON**2)
    right = F.pad((diffusivity[..., 1:] + diffusivity[..., :-1]) * 0.5, (0, 1))
    down = F.pad((diffusivity[..., 1:, :] + diffusivity[..., :-1, :]) * 0.5, (0, 0, 0, 1))
    return right, down
