"""A MODEL of the host that follows a chunk's guide step by step."""

from __future__ import annotations

from dataclasses import dataclass, field

import comfy.patcher_extension
import torch
from torch import Tensor

from ..guidance_schedule import Schedule, held_steps, held_steps_of_part, step_index, step_mask
from ..guide import ChunkGuide

SAMPLE, OURS = comfy.patcher_extension.WrappersMP.SAMPLER_SAMPLE, "wan_motion_chunks"
"""What is wrapped, and by whom."""
WHOLE = 0.95
"""Share of the model's highest noise level from which on a sampler call is the first one of a chunk."""


@dataclass
class HeldCells:
    """For how many steps each cell of a guide is held."""

    guide: ChunkGuide
    schedule: Schedule | None
    """Of the whole run; None goes by the levels of each sampler call."""
    _levels: Tensor | None = field(init=False, default=None)
    _left: Tensor | None = field(init=False, default=None)
    _plan: tuple[Tensor, Tensor] | None = field(init=False, default=None)
    """The levels and the steps for which cells are held, on the device."""

    def mask(self, sigma: Tensor, noise_mask: Tensor, extra_options: dict) -> Tensor:
        """The noise mask of a model call at ``sigma``, (B,)."""
        levels = extra_options["sigmas"] if self.schedule is None else self.schedule.levels
        left = None if self.guide.heed is None else self.guide.heed.left
        if self._plan is None or levels is not self._levels or left is not self._left:
            # Once per sampler call, and once more when guidance lets go.
            self._plan = levels.to(sigma.device), self._held(left, noise_mask.device, extra_options)
            self._levels, self._left = levels, left
        levels, held = self._plan
        return step_mask(noise_mask, held, step_index(sigma, levels))

    def _held(self, left: Tensor | None, device: torch.device, extra_options: dict) -> Tensor:
        end_percent = self.guide.end_percent
        assert end_percent is not None  # else no cell is held by step
        share = end_percent.to(device) if left is None else end_percent.to(device) * left.to(device)
        if self.schedule is not None:
            return held_steps(share, self.schedule.steps, self.schedule.switch)
        table = extra_options["model"].inner_model.model_sampling.sigmas
        return held_steps_of_part(share, extra_options["sigmas"], table).to(device)


def guide_by_step(model, guide: ChunkGuide, schedule: Schedule | None = None):
    """A clone of ``model`` that holds each cell of a guide up to its ``end_percent``, in one sampler call or several.

    A noise mask is all that a LATENT carries, so that without this clone a chunk of level ``motion`` is one of level
    ``overlap_pinned``. A mask function that another pack has put there before is asked after ours, about the mask as
    it is in that step. The first model call of a chunk tells the guide's meter how far the model follows the known
    frames; where that decides, cells are let go from the second step on.

    Args:
        schedule: of the whole run; without it each sampler call goes by what it sees, see
            :func:`~wan.guidance_schedule.held_steps_of_part`.

    Raises:
        ValueError: if the model follows a guide already.
    """
    if model.get_wrappers(SAMPLE, OURS):
        raise ValueError(
            "model: it follows the guide of another chunk already. Connect the model itself, not the model that "
            "another Guide Next Chunk gives out."
        )
    patched = model.clone()
    theirs = patched.model_options.get("denoise_mask_function")
    cells, meter = None if guide.end_percent is None else HeldCells(guide, schedule), guide.heed

    def mask_of_step(sigma, denoise_mask, extra_options):
        mask = denoise_mask if cells is None else cells.mask(sigma, denoise_mask, extra_options)
        if theirs is None:
            return mask
        return torch.minimum(mask, theirs(sigma, mask, extra_options=extra_options))

    def hold_clean(executor, guider, sigmas, extra_args, callback, noise, latent_image=None, denoise_mask=None, *rest):
        """Let a second sampler call hold what the guide holds, not the half-noised latent that it is given."""
        inner = guider.inner_model
        # Read together: each read waits for the device.
        facts = noise.any(), sigmas[0], inner.model_sampling.sigma_max
        fresh, level, highest = torch.stack([torch.as_tensor(fact).to(sigmas) for fact in facts]).tolist()
        if meter is not None and fresh:
            if level >= WHOLE * highest:
                meter.start(inner.process_latent_in, noise)
            else:  # a call that begins on the way tells nothing
                meter.stop()
        if denoise_mask is not None and latent_image is not None and not fresh and level < 1:
            clean = inner.process_latent_in(guide.samples.to(latent_image))
            # Flow matching: the first call gave out x / (1 - sigma), with x = sigma noise + (1 - sigma) clean.
            noise = (latent_image - clean) * ((1 - sigmas[0]) / sigmas[0])
            latent_image = clean
        return executor(guider, sigmas, extra_args, callback, noise, latent_image, denoise_mask, *rest)

    def watch(arguments):
        if meter is not None:
            meter.watch(arguments["denoised"])
        return arguments["denoised"]

    patched.set_model_denoise_mask_function(mask_of_step)
    patched.set_model_sampler_post_cfg_function(watch)
    patched.add_wrapper_with_key(SAMPLE, OURS, hold_clean)
    return patched
