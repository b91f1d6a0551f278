"""Wan2.1 chunks: frame accounting, the plan, guidance of the next chunk, the loop.

Modules named ``host``, ``conditioning`` and ``sampling`` talk to ComfyUI and are not imported here.
"""

from .chunks import Chunk, ChunkPlan, plan_chunks
from .guide import ChunkGuide, GuideSettings
from .ladder import guide_next_chunk
from .latents import frame_length, known_rows, latent_length
from .loop import ChunkState, Tools, finish_chunk, generate, guide_state

__all__ = [
    "Chunk",
    "ChunkGuide",
    "ChunkPlan",
    "ChunkState",
    "GuideSettings",
    "Tools",
    "finish_chunk",
    "frame_length",
    "generate",
    "guide_next_chunk",
    "guide_state",
    "known_rows",
    "latent_length",
    "plan_chunks",
]
