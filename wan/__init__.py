"""Wan chunks: frame accounting, the plan, guidance of the next chunk, the loop.

``host`` talks to ComfyUI and ``runs`` to the disk; neither is imported here.
"""

from .chunks import Chunk, ChunkPlan, plan_chunks
from .continuity import guide_next_chunk
from .guide import ChunkGuide, ChunkRequest
from .latents import frame_length, known_rows, latent_length
from .loop import Tools, finish_chunk, generate, guide_state
from .prompt_text import Schedule, parse_schedule, read_schedule, write_schedule
from .prompts import Keyframe, Lora, parse_stack
from .records import ChunkRecord
from .settings import GuideSettings
from .state import ChunkState

__all__ = [
    "Chunk",
    "ChunkGuide",
    "ChunkPlan",
    "ChunkRecord",
    "ChunkRequest",
    "ChunkState",
    "GuideSettings",
    "Keyframe",
    "Lora",
    "Schedule",
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
    "read_schedule",
    "write_schedule",
]
