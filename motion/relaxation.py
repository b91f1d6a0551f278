"""Red-black relaxation of the linear system that a variational flow comes down to, in two layouts."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

RELAXATION = 1.7


def relax(
    step: Tensor, known: Tensor, inverse: Tensor, mixed: Tensor, right: Tensor, down: Tensor, sweeps: int
) -> Tensor:
    """Successive over-relaxation of one 2 x 2 system per pixel, tied to its four neighbors.

    Each sweep leads ``x`` of a pixel towards ``A^-1 (known + sum of edge * x of the neighbor)``, half of the pixels
    at a time.

    Args:
        step: ``(N, 2, H, W)``, where to begin; even H and W.
        known: ``(N, 2, H, W)``.
        inverse: ``(N, 2, H, W)``, the diagonal of the inverse of A.
        mixed: ``(N, 1, H, W)``, the rest of it.
        right: ``(N, 1, H, W)``: weight of the edge between a pixel and its right neighbor; 0 at the border.
        down: ``(N, 1, H, W)``: of that to the one below.

    Returns:
        ``(N, 2, H, W)``.
    """
    solver = (_Lattice if step.device.type == "cpu" else _Grid)(step, known, inverse, mixed, right, down)
    for _ in range(sweeps):
        solver.sweep()
    return solver.merged()


class _Lattice:
    """A red-black solver on four sublattices (row parity, column parity), each contiguous.

    Red cells (0, 0) and (1, 1) have only black neighbors and the other way round, so that a color is
    updated in place and at once, with no work thrown away on the other.
    """

    def __init__(self, step: Tensor, known: Tensor, inverse: Tensor, mixed: Tensor, right: Tensor, down: Tensor):
        def split(tensor: Tensor) -> dict[tuple[int, int], Tensor]:
            return {(r, c): tensor[..., r::2, c::2].contiguous() for r in (0, 1) for c in (0, 1)}

        self.step, self.known, self.inverse, self.mixed = split(step), split(known), split(inverse), split(mixed)
        self.right, self.down = split(right), split(down)

    def sweep(self) -> None:
        for cell in ((0, 0), (1, 1), (0, 1), (1, 0)):
            self._update(*cell)

    def _update(self, r: int, c: int) -> None:
        cell = r, c
        beside, above = self.step[r, 1 - c], self.step[1 - r, c]
        right, down = self.right[cell], self.down[cell]
        left, up = self.right[r, 1 - c], self.down[1 - r, c]  # an edge belongs to the pixel on its left, or above it
        if c == 0:  # its right neighbor has its own index, its left one the index before
            total = torch.addcmul(self.known[cell], right, beside)
            total[..., 1:].addcmul_(left[..., :-1], beside[..., :-1])
        else:
            total = torch.addcmul(self.known[cell], left, beside)
            total[..., :-1].addcmul_(right[..., :-1], beside[..., 1:])
        if r == 0:
            total.addcmul_(down, above)
            total[..., 1:, :].addcmul_(up[..., :-1, :], above[..., :-1, :])
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


class _Grid:
    """The same solver on the whole grid, where a color's relaxation is 0 on the other color's cells.

    Twice the work in half the operations: for cards, which take longer to start one than to do it.
    """

    def __init__(self, step: Tensor, known: Tensor, inverse: Tensor, mixed: Tensor, right: Tensor, down: Tensor):
        self.known, self.inverse, self.mixed = known, inverse, mixed
        self.edges = right, F.pad(right, (1, 0))[..., :-1], down, F.pad(down, (0, 0, 1, 0))[..., :-1, :]
        padded = F.pad(step, (1, 1, 1, 1))  # what lies beyond the border counts for nothing
        self.step = padded[..., 1:-1, 1:-1]
        self.neighbors = padded[..., 1:-1, 2:], padded[..., 1:-1, :-2], padded[..., 2:, 1:-1], padded[..., :-2, 1:-1]
        height, width = step.shape[-2:]
        row, column = (torch.arange(side, device=step.device) for side in (height, width))
        black = (row[:, None] + column) % 2
        self.relaxations = [(RELAXATION * cells).to(step.dtype) for cells in (1 - black, black)]

    def sweep(self) -> None:
        for relaxation in self.relaxations:
            total = torch.addcmul(self.known, self.edges[0], self.neighbors[0])
            for edge, neighbor in zip(self.edges[1:], self.neighbors[1:], strict=True):
                total.addcmul_(edge, neighbor)
            solved = (self.inverse * total).addcmul_(self.mixed, total.flip(1))
            self.step.lerp_(solved, relaxation)

    def merged(self) -> Tensor:
        return self.step
