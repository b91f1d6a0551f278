"""Muon for many small matrices: those of one shape are orthogonalised in one batch."""

from __future__ import annotations

import torch
from torch import Tensor

COEFFICIENTS = 3.4445, -4.7750, 2.0315
"""Of the quintic Newton-Schulz iteration, steepest at zero (Jordan 2024)."""
ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """``torch.optim.Muon`` with ``adjust_lr_fn="match_rms_adamw"``, for a step that a CUDA graph can hold.

    A model of hundred small matrices spends its time on launching kernels, not in them. The rate may be a
    tensor, which a captured step reads anew each time.
    """

    def __init__(self, params, lr: float | Tensor, *, weight_decay: float = 0.1, momentum: float = 0.95):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            rate, momentum = group["lr"], group["momentum"]
            shapes: dict[torch.Size, list[Tensor]] = {}
            for p in group["params"]:
                if p.grad is None:
                    continue
                if "momentum_buffer" not in self.state[p]:
                    self.state[p]["momentum_buffer"] = torch.zeros_like(p)
                shapes.setdefault(p.shape, []).append(p)
            for (rows, columns), matrices in shapes.items():
                gradients = [p.grad for p in matrices if p.grad is not None]  # all: none other is among them
                buffers = [self.state[p]["momentum_buffer"] for p in matrices]
                # What torch's own optimizers use; it has no public function for many tensors at once.
                torch._foreach_lerp_(buffers, gradients, 1 - momentum)  # pyright: ignore[reportPrivateImportUsage]
                direction = orthogonalize(torch.stack(torch._foreach_lerp(gradients, buffers, momentum)))  # pyright: ignore[reportPrivateImportUsage]
                torch._foreach_mul_(matrices, 1 - rate * group["weight_decay"])  # pyright: ignore[reportPrivateImportUsage]
                # So scaled, an update's elements are as large as AdamW's (Liu et al. 2025, "Muon is scalable").
                scaled = direction.float() * (rate * 0.2 * max(rows, columns) ** 0.5)
                torch._foreach_sub_(matrices, list(scaled.unbind()))  # pyright: ignore[reportPrivateImportUsage]


def orthogonalize(matrices: Tensor) -> Tensor:
    """``(N, rows, columns)`` to bfloat16 matrices of the same singular vectors, all singular values near 1."""
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.bfloat16()
    x = x.transpose(1, 2) if tall else x
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.transpose(1, 2)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.transpose(1, 2) if tall else x
