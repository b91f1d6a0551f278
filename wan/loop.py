"""The chunk loop: guide, sample, decode, append; one immutable state in, the next one out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..blending.seam import SeamReport, measure_seam
from ..motion import FlowEstimator
from .anchor import anchor_color
from .chunks import Chunk, ChunkPlan
from .forecast import FAILURES
from .guide import ChunkGuide, GuideSettings, Vae, guide_chunk
from .join import as_made, join_chunk
from .ladder import continue_chunk

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


@dataclass(frozen=True)
class ChunkState:
    """The video so far and what the next chunk needs."""

    plan: ChunkPlan
    start: Tensor
    """``(N, 3, H, W)`` in [0, 1]: the frames that the video starts from, at its size."""
    settings: GuideSettings = field(default_factory=GuideSettings)
    region: Tensor | None = None
    """``(1, 1, H, W)`` in [0, 1]: scales motion guidance."""
    pieces: tuple[Tensor, ...] = ()
    """Per finished chunk the frames that it added, ``(n, 3, H, W)``."""
    latent: Tensor | None = None
    """``(1, 16, T, h, w)``: the last chunk as sampled."""
    guide: ChunkGuide | None = None
    """Of the chunk that is being sampled; None between chunks."""
    intact: int = 0
    """The video's last frames that are as ``latent`` decodes, so that it may be handed on for them."""
    seam: SeamReport | None = None
    """Of the last chunk; None after the first."""
    lines: tuple[str, ...] = ()
    """The report, a line per finished chunk."""

    def __post_init__(self) -> None:
        overlap = self.plan.overlap_frames
        if self.settings.level == "last_frame" and overlap != 1 and len(self.plan.chunks) > 1:
            raise ValueError(f"Level last_frame overlaps by one frame, but the plan by {overlap}. Plan with 1.")

    @property
    def chunk(self) -> Chunk | None:
        """The chunk to make next, None when the video is finished."""
        return self.plan.chunks[len(self.pieces)] if len(self.pieces) < len(self.plan.chunks) else None

    @property
    def video(self) -> Tensor:
        """``(F, 3, H, W)``: all frames so far."""
        return torch.cat(self.pieces)

    def tail(self, count: int) -> Tensor:
        """The last ``count`` frames, which may lie in several pieces."""
        pieces, have = [], 0
        for piece in reversed(self.pieces):
            pieces.insert(0, piece)
            have += len(piece)
            if have >= count:
                break
        return torch.cat(pieces)[-count:]

    def report(self) -> str:
        """The plan, then a line per finished chunk."""
        return "\n".join((self.plan.describe(), *self.lines))


def generate(state: ChunkState, tools: Tools) -> ChunkState:
    """Make every chunk that is left: guide -> sample -> decode -> append."""
    while state.chunk is not None:
        state = make_chunk(guide_state(state, tools.vae, tools.estimator), tools)
    return state


def make_chunk(state: ChunkState, tools: Tools) -> ChunkState:
    """Sample and finish the guided chunk; again from another noise while its seam stands out, and keep the best."""
    best, retries = None, state.settings.retries
    for attempt in range(retries + 1):
        tools.check_interrupt()
        guide = replace(state.guide, attempt=attempt)
        made = finish_chunk(replace(state, guide=guide), tools.sample(guide), tools.vae, tools.estimator)
        if best is None or made.seam.excess < best.seam.excess:
            best = made
        if best.seam is None or best.seam.excess <= 1:
            break
    if retries and attempt:
        note = f"best of {attempt + 1} attempts"
        logger.warning("Chunk %d: its seam stood out; kept the %s", len(best.pieces), note)
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
    size = tuple(state.start.shape[-2:])
    if chunk.index == 0:
        guide = guide_chunk(state.start, chunk.length, vae, *size)
    else:
        guide = continue_chunk(
            state.tail(chunk.overlap),
            state.settings,
            vae,
            chunk.index,
            chunk.length,
            chunk.overlap,
            size,
            previous_latent=state.latent,
            carry=state.intact if state.settings.carry_latents else 0,
            estimator=estimator,
            region=state.region,
            unguided=unguided,
        )
    guide = replace(guide, start=chunk.start, time=chunk.start / state.plan.total_frames)
    return replace(state, guide=guide)


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
    decoded = vae.decode(latent)[0].movedim(-1, 1)  # (F, 3, H, W)
    if len(decoded) != chunk.length:
        raise ValueError(f"vae: {latent.shape[2]} latents should decode to {chunk.length} frames, got {len(decoded)}.")
    if not torch.isfinite(decoded).all():
        raise ValueError(
            f"vae: chunk {chunk.index + 1} decoded to NaN or infinite pixels. "
            "A VAE in half precision can overflow: run ComfyUI with --fp32-vae."
        )
    line = f"chunk {chunk.index + 1}/{len(plan.chunks)}: {plan.added(chunk)} new frames"
    if not state.pieces:
        pieces = (decoded[: plan.added(chunk)].clone(),)
        made = replace(state, pieces=pieces, intact=len(pieces[0]))
    else:
        made, words = _append(state, decoded[: chunk.overlap + plan.added(chunk)], estimator)
        line += f", level {state.guide.level} ({state.guide.reason}), {words}, seam {made.seam}"
    logger.info(line)
    return replace(made, latent=latent, guide=None, lines=(*state.lines, line))


def _append(state: ChunkState, decoded: Tensor, estimator: str | FlowEstimator) -> tuple[ChunkState, str]:
    """The state with a decoded chunk joined to its video, and what was done in words."""
    try:
        return _join(state, decoded, state.settings, estimator)
    except FAILURES as error:
        logger.warning("Joining chunk %d failed, it is cut as made: %s", state.chunk.index + 1, error)
    made, _ = _join(state, decoded, replace(state.settings, color="none", blend_strength=1.0), "auto")
    return made, "cut as made, since joining failed"


def _join(
    state: ChunkState, decoded: Tensor, settings: GuideSettings, estimator: str | FlowEstimator
) -> tuple[ChunkState, str]:
    chunk = state.chunk
    before = state.tail(chunk.overlap + SeamReport.REACH)
    if state.guide.carried and state.guide.noise_mask is not None:
        # Both versions of the overlap are decoded from the same latents, but for the first: what parts them is the
        # decoder's start, which is over where the overlap ends and says nothing about the chunk.
        joined = as_made(before, decoded, chunk.overlap)
    else:
        joined = join_chunk(
            before,
            decoded,
            chunk.overlap,
            color=settings.color,
            blend_strength=settings.blend_strength,
            mask_sigma=settings.mask_sigma,
            estimator=estimator,
        )
    added = anchor_color(joined.added, state.start[:1], settings.anchor, chunk.index)
    pieces = (*_replace_tail(state.pieces, joined.tail), added.clone())  # lets go of the overlap
    made = replace(state, pieces=pieces, intact=joined.intact if added is joined.added else 0)
    reach = 2 * SeamReport.REACH  # as far as replayed frames are looked for
    earlier = made.tail(len(added) + reach)[: -len(added)]
    seam = measure_seam(torch.cat((earlier, added[:reach])), len(earlier), estimator=estimator)
    return replace(made, seam=seam), joined.report


def _replace_tail(pieces: tuple[Tensor, ...], tail: Tensor) -> tuple[Tensor, ...]:
    """The pieces with their last frames replaced; those that stay are not copied."""
    changed = list(pieces)
    for index in range(len(pieces) - 1, -1, -1):
        if not len(tail):
            break
        own = tail[-len(pieces[index]) :]
        tail = tail[: len(tail) - len(own)]
        if not torch.equal(own, pieces[index][-len(own) :]):
            changed[index] = torch.cat((pieces[index][: -len(own)], own))
    return tuple(changed)
