"""Wan2.1 chunks: frame accounting, the plan, guidance of the next chunk, the loop.

Modules named ``host``, ``conditioning`` and ``sampling`` talk to ComfyUI and are not imported here.
"""

from .chunks import Chunk, ChunkPlan, plan_chunks
from .continuity import guide_next_chunk
from .guide import ChunkGuide, GuideSettings
from .latents import frame_length, known_rows, latent_length
from .loop import Tools, finish_chunk, generate, guide_state
from .prompts import Entry, Lora, parse_schedule, parse_stack
from .state import ChunkState

__all__ = [
    "Chunk",
    "ChunkGuide",
    "ChunkPlan",
    "ChunkState",
    "Entry",
    "GuideSettings",
    "Lora",
    "Tools",
    "finish_chunk",
    "frame_length",
    "generate",
    "guide_next_chunk",
    "guide_state",
    "known_rows",
    "latent_length",
    "parse_schedule",
    "parse_stack",
    "plan_chunks",
]
