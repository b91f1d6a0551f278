"""What both training scripts share: the host's modules, checkpoints, the schedule, averaged weights."""

from __future__ import annotations

import argparse
import logging
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

logger = logging.getLogger(__name__)

LONGEST_STEP = 10.0
"""Seconds."""


def import_host() -> None:
    """Make ``comfy`` importable on the CPU; ComfyUI must be on ``sys.path`` already.

    ComfyUI reads its command line on import, so ours is hidden from it.
    """
    import comfy.options

    sys.argv = [sys.argv[0], "--cpu", "--use-pytorch-cross-attention"]
    comfy.options.enable_args_parsing()
    import comfy.cli_args


def arguments(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--minutes", type=float, default=60, help="training time in all, resumed runs included")
    parser.add_argument("--checkpoint", type=Path, required=True, help="resumed from when it exists")
    parser.add_argument("--start", type=Path, help="exported weights to go on from when there is no checkpoint")
    parser.add_argument("--export", type=Path, help="write the finished float16 weights here")
    parser.add_argument("--threads", type=int, default=1)
    return parser


class Training:
    """A resumable optimisation whose schedule follows the share of its time budget that is spent."""

    def __init__(
        self,
        model: nn.Module,
        checkpoint: Path,
        minutes: float,
        *,
        rate: float,
        average: float = 0.995,
        matrices: str | None = None,
        decay: float = 0.4,
    ):
        """``matrices`` is a prefix: two-dimensional weights below it are trained by Muon, all others by AdamW.
        The rate falls over the last ``decay`` of the budget."""
        self.model, self.checkpoint, self.budget = model, checkpoint, minutes * 60
        self.rate, self.average, self.decay = rate, average, decay
        hidden, others = [], []
        for name, p in model.named_parameters():
            (hidden if matrices and name.startswith(matrices) and p.ndim == 2 else others).append(p)
        self.optimizers = [torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=1e-2)]
        if hidden:
            muon = torch.optim.Muon(hidden, lr=rate, weight_decay=1e-2, adjust_lr_fn="match_rms_adamw")
            self.optimizers.append(muon)
        self.averaged = {name: p.detach().clone() for name, p in model.named_parameters()}
        self.step, self.spent = 0, 0.0
        if checkpoint.exists():
            saved = torch.load(checkpoint, weights_only=True)
            model.load_state_dict(saved["model"])
            for optimizer, state in zip(self.optimizers, saved["optimizers"], strict=True):
                optimizer.load_state_dict(state)
            self.averaged, self.step, self.spent = saved["averaged"], saved["step"], saved["spent"]

    @property
    def progress(self) -> float:
        return min(1.0, self.spent / self.budget)

    def steps(self, *, report: int = 50, save: int = 200) -> Iterator[float]:
        """Yield the progress in [0, 1] before each step until the budget is spent; then save."""
        while self.progress < 1:
            began = time.monotonic()
            yield self.progress
            # A machine that was asleep has not trained.
            self.spent += min(time.monotonic() - began, LONGEST_STEP)
            if self.step % report == 0:
                shown = " ".join(f"{name} {value:.4f}" for name, value in self._figures.items())
                logger.info("step %d, %.1f min: %s", self.step, self.spent / 60, shown)
            if self.step % save == 0:
                self.save()
        self.save()

    _figures: dict[str, float]

    def update(self, loss: Tensor, figures: dict[str, float]) -> None:
        """One step down ``loss``: warm-up, a constant rate, and a cosine to zero."""
        decayed = max(0.0, 1 - (1 - self.progress) / self.decay)
        rate = self.rate * min(1.0, (self.step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * decayed))
        self.model.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
        self.step += 1
        weight = 1 - min(self.average, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for name, p in self.model.named_parameters():
                self.averaged[name].lerp_(p, weight)
        self._figures = {
            name: value + 0.98 * (getattr(self, "_figures", figures)[name] - value) for name, value in figures.items()
        }

    def save(self) -> None:
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(
            {
                "model": self.model.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
                "averaged": self.averaged,
                "step": self.step,
                "spent": self.spent,
            },
            partial,
        )
        partial.replace(self.checkpoint)
