"""The chunk loop: guide, sample, decode, append; one immutable state in, the next one out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor

from ..motion import FlowEstimator
from .append import append_chunk
from .chunks import ChunkPlan
from .continuity import continue_chunk
from .guide import ChunkGuide, GuideSettings, Vae, guide_chunk
from .motion_guide import FAILURES
from .presets import FRAMES, KNOBS, lora_factor, measure_speed, preset_at
from .runs.store import RunStore
from .state import ChunkState

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tools:
    """What the loop drives: the graph's VAE, its sampler, and its stop button."""

    vae: Vae
    sample: Callable[[ChunkGuide], Tensor]
    """A guide to the sampled latent, ``(1, 16, T, h, w)``."""
    check_interrupt: Callable[[], None] = lambda: None
    """Called between chunks; raises when the user has stopped the run."""
    estimator: str | FlowEstimator = "auto"
    """Of optical flow, for the level ``motion``."""


def generate(state: ChunkState, tools: Tools, store: RunStore | None = None) -> ChunkState:
    """Make every chunk that is left: guide -> sample -> decode -> append.

    Args:
        store: keeps every chunk as it is finished, and gives back those that were kept before.
    """
    frames, seconds = 0, 0.0  # of the chunks that were made here
    while state.chunk is not None:
        found = None
        if store is not None:
            tools.check_interrupt()
            found = store.recall(state)
        if found is None:
            began = time.monotonic()
            found = make_chunk(guide_state(state, tools.vae, tools.estimator), tools)
            found = found if store is None else store.keep(state, found)
            frames += found.plan.chunks[state.made].length
            seconds += time.monotonic() - began
            left = sum(chunk.length for chunk in found.plan.chunks[found.made :])
            if left:
                logger.info(
                    "About %s left for %d chunks",
                    _duration(seconds / frames * left),
                    len(found.plan.chunks) - found.made,
                )
        state = found
    return state


def _duration(seconds: float) -> str:
    """Hours and minutes, or seconds where it is less than two minutes."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def make_chunk(state: ChunkState, tools: Tools) -> ChunkState:
    """Sample and finish the guided chunk; again from another noise while its seam stands out, and keep the best."""
    best, retries = None, state.settings.retries
    for attempt in range(retries + 1):
        tools.check_interrupt()
        guide = replace(state.guide, attempt=state.guide.attempt + attempt)
        made = finish_chunk(replace(state, guide=guide), tools.sample(guide), tools.vae, tools.estimator)
        if best is None or made.seam.excess < best.seam.excess:  # without a seam there is no second attempt
            best = made
        if best.seam is None or best.seam.excess <= 1:
            break
    if retries and attempt:
        note = f"best of {attempt + 1} attempts"
        logger.warning("Chunk %d: its seam stood out; kept the %s", best.made, note)
        best = replace(best, lines=(*best.lines[:-1], f"{best.lines[-1]}, {note}"))
    return best


def guide_state(
    state: ChunkState, vae: Vae, estimator: str | FlowEstimator = "auto", *, unguided: str | None = None
) -> ChunkState:
    """Prepare the next chunk: the same state with its guide.

    Args:
        estimator: of optical flow, for the level ``motion``.
        unguided: why the sampler cannot follow motion, if it cannot; the level then falls to ``overlap_pinned``.

    Raises:
        ValueError: if the video is finished already.
    """
    chunk = state.chunk
    if chunk is None:
        raise ValueError(
            f"All {len(state.plan.chunks)} chunks of this video are made. Raise its length, or run the loop less often."
        )
    size, settings = tuple(state.start.shape[-2:]), state.settings
    speed = None if not chunk.overlap else _speed_of(state, estimator)
    if speed is not None:
        plan, settings = _adapt(state, speed)
        state, chunk = replace(state, plan=plan), plan.chunks[chunk.index]
    cue = state.plan.cue(chunk)
    if speed is not None:
        cue = cue.scaled(lora_factor(speed, settings.lora_at_rest, settings.lora_in_motion))
    end = {"end": state.end_of(chunk), "dropped": max(0, chunk.stop - state.plan.total_frames)}
    if chunk.index == 0:
        guide = guide_chunk(state.start, chunk.length, vae, *size, **end)
    elif not chunk.overlap:
        picture = state.plan.entries[chunk.entry].start_image
        guide = guide_chunk(picture, chunk.length, vae, *size, chunk.index, reason="a cut to its own picture", **end)
    else:
        guide = continue_chunk(
            state.tail(chunk.overlap),
            settings,
            vae,
            chunk.index,
            chunk.length,
            chunk.overlap,
            size,
            previous_latent=state.latent,
            carry=state.intact if settings.carry_latents else 0,
            estimator=estimator,
            region=state.region,
            unguided=unguided,
            **end,
        )
    total = state.plan.total_frames
    done = (chunk.seam / total, min(chunk.stop, total) / total)
    guide = replace(
        guide,
        start=chunk.start,
        time=chunk.start / total,
        cue=cue,
        done=done,
        origin=state.original_of(chunk),
        end_original=state.original_end_of(chunk),
        attempt=state.attempt_at(chunk.index),
    )
    return replace(state, guide=guide, speed=speed, effective=settings)


def _speed_of(state: ChunkState, estimator: str | FlowEstimator) -> float | None:
    """How fast the handed-over frames move, if anything depends on it."""
    if not (state.settings.adaptive or state.settings.moves_loras):
        return None
    try:
        return measure_speed(state.tail(min(FRAMES, len(state.pieces[-1]))), estimator)
    except FAILURES as error:
        logger.warning("The motion of chunk %d could not be measured: %s", state.made, error)
        return None


def _adapt(state: ChunkState, speed: float) -> tuple[ChunkPlan, GuideSettings]:
    """Plan and settings of the next chunk, for a measured speed."""
    wanted = {name: value for name, value in asdict(preset_at(speed)).items() if name in state.settings.adaptive}
    plan, overlap = state.plan, wanted.pop("overlap_frames", None)
    if overlap is not None:
        plan = plan.replan(state.made, overlap)
    return plan, replace(state.settings, **wanted)


@torch.no_grad()
def finish_chunk(state: ChunkState, latent: Tensor, vae: Vae, estimator: str | FlowEstimator = "auto") -> ChunkState:
    """Decode a sampled chunk, once and by itself, and join it to the video.

    Args:
        latent: ``(1, 16, T, h, w)``: the state's guide, sampled.
        estimator: of optical flow, for the join and its measure.

    Raises:
        ValueError: if no guide is waiting for a sample, or the sample is not of the guide's shape.
    """
    if state.guide is None:
        raise ValueError("No chunk is being made. Put Guide Next Chunk before the sampler and connect its state.")
    if latent.shape != state.guide.samples.shape:
        raise ValueError(
            f"latent: the guided chunk has shape {tuple(state.guide.samples.shape)}, got {tuple(latent.shape)}. "
            "Sample the latent that Guide Next Chunk gives out."
        )
    chunk, plan = state.chunk, state.plan
    if not torch.isfinite(latent).all():
        raise ValueError(
            f"model: the sampler made NaN or infinite latents of chunk {chunk.index + 1}, before the VAE saw them. "
            "Usual causes: a model or LoRA in a precision that overflows (load it with weight_dtype default, or run "
            "ComfyUI with --bf16-unet), an attention patch (try without SageAttention, or with "
            "--use-pytorch-cross-attention), a LoRA at too high a strength, or a cfg that is far too large."
        )
    # (F, 3, H, W), where finished frames live whatever the host's VAE gives out.
    decoded = vae.decode(latent)[0].movedim(-1, 1).to(state.start.device)
    if len(decoded) != chunk.length:
        raise ValueError(f"vae: {latent.shape[2]} latents should decode to {chunk.length} frames, got {len(decoded)}.")
    if not torch.isfinite(decoded).all():
        raise ValueError(
            f"vae: chunk {chunk.index + 1} decoded to NaN or infinite pixels. "
            "A VAE in half precision can overflow: run ComfyUI with --fp32-vae."
        )
    line = f"chunk {chunk.index + 1}/{len(plan.chunks)}: {plan.added(chunk)} new frames{_told(state)}"
    if not chunk.overlap:
        added = decoded[: plan.added(chunk)].clone()
        made = replace(state, pieces=(*state.pieces, added), intact=len(added), seam=None)
        line += ", a cut: its seam is left alone" if plan.cuts(chunk) else ""
    else:
        made, words = append_chunk(state, decoded[: chunk.overlap + plan.added(chunk)], estimator)
        line += f", level {state.guide.level} ({state.guide.reason}), {words}, seam {made.seam}"
    logger.info(line)
    excess = None if made.seam is None else made.seam.excess
    return replace(
        made,
        latent=latent,
        guide=None,
        effective=None,
        speed=None,
        excess=(*state.excess, excess),
        lines=(*state.lines, line),
    )


def _told(state: ChunkState) -> str:
    """What the guided chunk is told, in words."""
    words = f", {state.guide.cue.describe()}" if state.plan.varied else ""
    if state.speed is not None:
        words += f", speed {state.speed:.1f} px/frame"
    numbers = {"overlap_frames": state.chunk.overlap, **asdict(state.effective or state.settings)}
    return words + "".join(f", {name} {numbers[name]:.3g}" for name in KNOBS if name in state.settings.adaptive)
