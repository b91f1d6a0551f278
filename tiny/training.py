"""What both training scripts share: the host's modules, checkpoints, the schedule, averaged weights."""

from __future__ import annotations

import argparse
import logging
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from .muon import Muon

logger = logging.getLogger(__name__)

LONGEST_STEP = 10.0
"""Seconds."""
SAVE = 100.0
"""Seconds between two checkpoints."""
AHEAD = 16
"""Steps that may wait in a card's queue: time is measured, and should be theirs."""


def import_host(*, cpu: bool = True) -> None:
    """Make ``comfy`` importable, on the CPU or where it runs by itself; ComfyUI must be on ``sys.path`` already.

    ComfyUI reads its command line on import, so ours is hidden from it. Training takes its layers alone from it,
    and puts them on a card by itself.
    """
    import comfy.options

    sys.argv = [sys.argv[0], *(["--cpu"] if cpu else []), "--use-pytorch-cross-attention"]
    comfy.options.enable_args_parsing()
    import comfy.cli_args


def arguments(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--minutes", type=float, default=60, help="time in all, preparations and resumed runs included")
    parser.add_argument("--checkpoint", type=Path, required=True, help="resumed from when it exists")
    parser.add_argument("--start", type=Path, help="exported weights to go on from when there is no checkpoint")
    parser.add_argument("--export", type=Path, help="write the finished float16 weights here")
    parser.add_argument("--threads", type=int, default=1)
    return parser


class Training:
    """A resumable optimization whose schedule follows the share of its time budget that is spent."""

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
        The rate falls over the last ``decay`` of the budget. Weights are averaged over the last ninth of the steps
        so far, or with a constant ``average`` per step once that is shorter."""
        self.model, self.checkpoint, self.budget = model, checkpoint, minutes * 60
        self.rate, self.average, self.decay = rate, average, decay
        self.began = time.monotonic()
        self.device = next(model.parameters()).device
        on_card = self.device.type == "cuda"
        hidden, others = [], []
        for name, p in model.named_parameters():
            (hidden if matrices and name.startswith(matrices) and p.ndim == 2 else others).append(p)
        # A captured step reads its rate from a tensor.
        lr = torch.tensor(rate, device=self.device) if on_card else rate
        fused = {"fused": True, "capturable": True} if on_card else {}
        self.optimizers: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(others, lr=lr, betas=(0.9, 0.98), weight_decay=1e-2, **fused)
        ]
        if hidden:
            self.optimizers.append(Muon(hidden, lr=lr, weight_decay=1e-2))
        self.averaged = {name: p.detach().clone() for name, p in model.named_parameters()}
        self.step, self.spent = 0, 0.0
        self._figures: dict[str, float | Tensor] = {}
        if checkpoint.exists():
            saved = torch.load(checkpoint, weights_only=True, map_location=self.device)
            model.load_state_dict(saved["model"])
            for optimizer, state in zip(self.optimizers, saved["optimizers"], strict=True):
                optimizer.load_state_dict(state)
                for group in optimizer.param_groups:
                    group["lr"] = lr
            self.averaged, self.step, self.spent = saved["averaged"], saved["step"], saved["spent"]

    @property
    def progress(self) -> float:
        return min(1.0, self.spent / self.budget)

    def steps(self, *, report: int = 50, saved: Callable[[], None] = lambda: None) -> Iterator[float]:
        """Yield the progress in [0, 1] before each step until the budget is spent.

        Preparations since the start of this run shorten the budget. A checkpoint is saved every now and then and at
        the end, and ``saved`` called after it.
        """
        self.budget -= time.monotonic() - self.began
        kept = self.spent
        while self.progress < 1:
            began = time.monotonic()
            yield self.progress
            if self.step % AHEAD == 0 and self.device.type == "cuda":
                torch.cuda.synchronize()
            # A machine that was asleep has not trained.
            self.spent += min(time.monotonic() - began, LONGEST_STEP)
            if self.step % report == 0:
                shown = " ".join(f"{name} {float(value):.4f}" for name, value in sorted(self._figures.items()))
                logger.info("step %d, %.1f min: %s", self.step, self.spent / 60, shown)
            if self.spent - kept > SAVE:
                kept = self.spent
                self.save()
                saved()
        self.save()
        saved()

    def update(self, loss: Tensor, figures: Mapping[str, float | Tensor]) -> None:
        """One step down ``loss``."""
        self.set_rate()
        self.descend(loss)
        self.advance(figures)

    def set_rate(self) -> None:
        """Warm-up, a constant rate, and a cosine to zero."""
        decayed = max(0.0, 1 - (1 - self.progress) / self.decay)
        rate = self.rate * min(1.0, (self.step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * decayed))
        self._set(rate)

    def rest(self) -> None:
        """A rate of zero until :meth:`set_rate`, for steps that only prepare."""
        self._set(0.0)

    def descend(self, loss: Tensor) -> None:
        """Gradients and optimizers: all of a step that a CUDA graph can hold."""
        self.model.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()

    def advance(self, figures: Mapping[str, float | Tensor]) -> None:
        """Count a step, and take its weights and figures into the averages."""
        self.step += 1
        weight = 1 - min(self.average, (self.step + 1) / (self.step + 10))
        weights = dict(self.model.named_parameters())
        with torch.no_grad():
            current: list[Tensor] = [weights[name] for name in self.averaged]
            # As torch's own optimizers do; it has no public function for many tensors at once.
            torch._foreach_lerp_(list(self.averaged.values()), current, weight)  # pyright: ignore[reportPrivateImportUsage]
        for name, value in figures.items():
            before = self._figures.get(name)
            self._figures[name] = value + 0 if before is None else value + 0.98 * (before - value)

    def _set(self, rate: float) -> None:
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                if isinstance(group["lr"], Tensor):
                    group["lr"].fill_(rate)
                else:
                    group["lr"] = rate

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
