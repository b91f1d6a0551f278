"""The chunk loop: guide, sample, decode, append; one immutable state in, the next one out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

import torch
from einops import rearrange
from torch import Tensor

from ..blending.seam import SeamReport
from ..motion import FlowError
from .append import FAILURES, append_chunk, measure
from .chunks import Chunk, ChunkPlan
from .continuity import guide_chunk, take_overlap
from .families import WAN_I2V, check_start
from .guide import ChunkGuide, ChunkRequest
from .kept_end import KeptEnd, restore_frames, restore_latents
from .lines import duration
from .motion_tools import MotionTools
from .presets import FRAMES, KNOBS, measure_speed, preset_at
from .protocols import ChunkStore, Family, Sampler, Vae
from .records import ChunkRecord
from .settings import GuideSettings
from .state import ChunkState
from .tint import mean_color

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tools:
    """What the loop drives: the graph's VAE, its sampler, and its stop button."""

    vae: Vae
    sample: Sampler | Callable[[ChunkGuide], Tensor]
    check_interrupt: Callable[[], None] = lambda: None
    """Called between chunks; raises when the user has stopped the run."""
    motion: MotionTools = field(default_factory=MotionTools)
    """For predictions, joins and measures."""
    family: Family = WAN_I2V
    """Of the model that samples."""
    watch: Callable[[ChunkState, float | None], None] = lambda state, left: None
    """Told of the video so far before each chunk is made and behind each kept one that is taken, with the seconds that
    the rest will take, once a chunk was made."""


def generate(
    state: ChunkState, tools: Tools, store: ChunkStore | None = None, *, stop_after: int | None = None
) -> ChunkState:
    """Make every chunk that is left: guide -> sample -> decode -> append.

    Args:
        store: keeps every chunk as it is finished, and gives back those that were kept before.
        stop_after: how many chunks to make at most; None makes all.
    """
    count, frames, seconds = 0, 0, 0.0  # of the chunks that were made here
    left: float | None = None
    while state.chunk is not None:
        found = state
        if store is not None:
            tools.check_interrupt()
            found = store.recall(state)
        if found.made > state.made:
            state = found
            tools.watch(state, left)
            continue
        if count == stop_after:
            break
        tools.watch(state, left)
        began, index = time.monotonic(), found.made
        state = make_chunk(guide_state(found, tools.vae, tools.motion, family=tools.family), tools)
        state = state if store is None else store.keep(found, state)
        count += 1
        frames += state.plan.chunks[index].length
        seconds += time.monotonic() - began
        rest = state.plan.chunks[state.made :]
        left = seconds / frames * sum(chunk.length for chunk in rest)
        if rest:
            logger.info("About %s left for %d chunks", duration(left), len(rest))
    return state


def make_chunk(state: ChunkState, tools: Tools) -> ChunkState:
    """Sample and finish the guided chunk; again with another seed while its seam stands out, and keep the best."""
    best = _attempt(state, tools, 0)
    least, attempts = best.records[-1].worst, 1
    # Without a seam there is no second attempt.
    while attempts <= state.settings.seam_retries and not (least is None or least <= 1):
        made = _attempt(state, tools, attempts)
        score, attempts = made.records[-1].worst, attempts + 1
        if score is not None and score < least:
            best, least = made, score
    if attempts > 1:
        logger.warning("Chunk %d: its seam stood out; kept the best of %d attempts", best.made, attempts)
        best = replace(best, records=(*best.records[:-1], replace(best.records[-1], attempts=attempts)))
    return best


def _attempt(state: ChunkState, tools: Tools, number: int) -> ChunkState:
    """The guided chunk sampled and finished, with another seed for each number."""
    tools.check_interrupt()
    guide = replace(state.current_guide, attempt=state.current_guide.attempt + number)
    return finish_chunk(replace(state, guide=guide), tools.sample(guide), tools.vae, tools.motion)


def guide_state(
    state: ChunkState,
    vae: Vae,
    motion: MotionTools | None = None,
    *,
    follows_steps: bool = True,
    family: Family = WAN_I2V,
) -> ChunkState:
    """Prepare the next chunk: the same state with its guide.

    Args:
        motion: for levels that predict it; by default the built-in estimator on the CPU.
        follows_steps: whether the sampler follows a prediction step by step; else levels that need it fall back.

    Raises:
        ValueError: if the video is finished already.
    """
    check_start(state, family)
    motion = motion or MotionTools()
    state, settings, speed = _adapt(state, motion)
    chunk = state.next_chunk
    request = _request(state, chunk, settings, speed, follows_steps)
    guide = guide_chunk(request, vae, motion, family=family)
    return replace(state, guide=replace(guide, attempt=state.attempt_at(chunk.index)))


def _adapt(state: ChunkState, motion: MotionTools) -> tuple[ChunkState, GuideSettings, float | None]:
    """The state with its plan, the settings of the next chunk, and the measured speed that both follow."""
    settings = state.settings
    if not state.next_chunk.overlap or not (settings.adaptive or settings.moves_loras):
        return state, settings, None
    if len(recent := state.last_piece(FRAMES)) < 2:
        return state, settings, None
    try:
        speed, _ = motion.run(lambda estimator, frames: measure_speed(frames, estimator), recent)
    except FlowError as error:
        logger.warning("The motion of chunk %d could not be measured: %s", state.made, error)
        return state, settings, None
    wanted = {name: value for name, value in asdict(preset_at(speed)).items() if name in settings.adaptive}
    plan: ChunkPlan = state.plan
    overlap = wanted.pop("overlap_frames", None)
    if overlap is not None and state.overlap_follows:
        plan = plan.replan(state.made, overlap)
    return replace(state, plan=plan), replace(settings, **wanted), speed


def _request(
    state: ChunkState, chunk: Chunk, settings: GuideSettings, speed: float | None, follows_steps: bool
) -> ChunkRequest:
    """Everything that a chunk is conditioned on."""
    total = state.plan.total_frames
    if chunk.overlap:
        known = take_overlap(state.tail(chunk.overlap), chunk.overlap, settings)
    else:
        known = state.plan.keyframes[chunk.keyframe].start_image if chunk.index else state.start
        assert known is not None  # behind the first, only a cut makes a chunk without overlap
    return ChunkRequest(
        chunk.index,
        chunk.length,
        known,
        state.size,
        continues=chunk.overlap > 0,
        settings=settings,
        previous_latent=state.latent if chunk.overlap else None,
        exact_frames=state.exact_frames if settings.reuse_latents else 0,
        end=state.end_of(chunk),
        kept_end=state.kept_end,
        dropped=max(0, chunk.stop - total),
        region=state.region,
        follows_steps=follows_steps,
        start=chunk.start,
        time=max(0, chunk.start) / total,
        progress=(chunk.seam / total, min(chunk.stop, total) / total),
        prompt=state.prompt_of(chunk, speed),
        speed=speed,
        scene=state.scene_image(chunk),
        scene_original=state.scene_original(chunk),
        reference=state.reference,
        end_original=state.end_original_of(chunk),
    )


@torch.no_grad()
def finish_chunk(state: ChunkState, latent: Tensor, vae: Vae, motion: MotionTools | None = None) -> ChunkState:
    """Decode a sampled chunk, once and by itself, and join it to the video.

    Args:
        latent: ``(1, 16, T, h, w)``: the state's guide, sampled.
        motion: for the join and its measure; by default the built-in estimator on the CPU.

    Raises:
        ValueError: if no guide is waiting for a sample, or the sample is not of the guide's shape.
    """
    guide, motion = state.current_guide, motion or MotionTools()
    if latent.shape != guide.samples.shape:
        raise ValueError(
            f"latent: the guided chunk has shape {tuple(guide.samples.shape)}, got {tuple(latent.shape)}. "
            "Sample the latent that Guide Next Chunk gives out."
        )
    latent = latent[:, :, guide.lead :]
    chunk, plan, request = state.next_chunk, state.plan, guide.request
    decoded = _decode(chunk, latent, vae).cpu()  # where finished frames live, whatever the VAE decodes on
    numbers = {"overlap_frames": chunk.overlap, **asdict(request.settings)}
    record = ChunkRecord(
        chunk.index,
        plan.added(chunk),
        plan.cuts(chunk),
        request.prompt if plan.varied else None,
        request.speed,
        tuple((name, float(numbers[name])) for name in KNOBS if name in state.settings.adaptive),
        out_of_memory=("prediction",) if guide.record.out_of_memory else (),
    )
    if chunk.overlap:
        appended = append_chunk(state, decoded[: chunk.overlap + plan.added(chunk)], motion)
        made = appended.state
        record = replace(
            record,
            continuity=guide.record if guide.heed is None else replace(guide.record, heed=guide.heed.read()),
            join=appended.join,
            seam=appended.seam,
            failures=appended.failures,
            out_of_memory=(*record.out_of_memory, *appended.out_of_memory),
        )
    else:
        added = decoded[: plan.added(chunk)].clone()
        made = state.with_piece(added, len(added))
    end = request.kept_end
    if end is not None:
        made, latent = _restore_end(made, end), restore_latents(latent, end)
        record = _measure_end(record, made, end, motion)
    record = replace(record, color=mean_color(made.pieces[-1]))
    logger.info(record.describe(len(plan.chunks)))
    made = replace(made, latent=latent, guide=None, kept_end=None, records=(*state.records, record))
    return made.noted(warnings=record.warnings)


def _restore_end(made: ChunkState, end: KeptEnd) -> ChunkState:
    """The state with the end of its last chunk put back."""
    pieces = (*made.pieces[:-1], restore_frames(made.pieces[-1], end))
    return replace(made, pieces=pieces, exact_frames=end.exact_frames)


def _measure_end(record: ChunkRecord, made: ChunkState, end: KeptEnd, motion: MotionTools) -> ChunkRecord:
    """The record with how a chunk passes over to the end that it kept, as far as that can be measured."""
    near = made.tail(end.kept + 2 * SeamReport.REACH)
    try:
        seam, ran_out = measure(near, len(near) - end.kept, made.made, motion)
    except FAILURES as error:
        logger.exception("The end of chunk %d could not be measured", made.made)
        return replace(record, failures=(*record.failures, ("measuring", type(error).__name__)))
    out = record.out_of_memory
    return replace(record, end_seam=seam, out_of_memory=(*out, "measuring") if ran_out else out)


def _decode(chunk: Chunk, latent: Tensor, vae: Vae) -> Tensor:
    """Frames ``(F, 3, H, W)`` of a sampled chunk, checked before and after the VAE: it must not be blamed for the
    model's."""
    if not torch.isfinite(latent).all():
        raise ValueError(
            f"model: the sampler made NaN or infinite latents of chunk {chunk.index + 1}, before the VAE saw them. "
            "Usual causes: a model or LoRA in a precision that overflows (load it with weight_dtype default, or run "
            "ComfyUI with --bf16-unet), an attention patch (try without SageAttention, or with "
            "--use-pytorch-cross-attention), a LoRA at too high a strength, or a cfg that is far too large."
        )
    decoded = rearrange(vae.decode(latent), "1 t h w c -> t c h w")
    if len(decoded) != chunk.length:
        raise ValueError(f"vae: {latent.shape[2]} latents should decode to {chunk.length} frames, got {len(decoded)}.")
    if not torch.isfinite(decoded).all():
        raise ValueError(
            f"vae: chunk {chunk.index + 1} decoded to NaN or infinite pixels. "
            "A VAE in half precision can overflow: run ComfyUI with --fp32-vae."
        )
    return decoded
