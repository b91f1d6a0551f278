"""Sockets that nodes share."""

from __future__ import annotations

from ._compat import io

ChunkStateType = io.Custom("WAN_MOTION_CHUNK_STATE")
"""Carries a :class:`~wan.loop.ChunkState`."""

MotionType = io.Custom("WAN_MOTION_PREDICTION")
"""Carries a :class:`~motion.MotionPrediction`."""
FlowType = io.Custom("WAN_MOTION_FLOW")
"""Carries a :class:`~motion.Flow`."""
OpticalFlowType = io.Custom("OPTICAL_FLOW")
"""The host's: a ModelPatcher around torchvision's RAFT."""

PromptStackType = io.Custom("WAN_MOTION_PROMPT_STACK")
"""Carries prompt keyframes, or lists ``[positive, negative, start_chunk, lora_stack]``; see
:func:`~wan.prompts.parse_stack`."""
LoraStackType = io.Custom("LORA_STACK")
"""As other packs have it: a list of ``(name, strength_model, strength_clip)``."""
SettingsType = io.Custom("WAN_MOTION_SETTINGS")
"""Carries a :class:`~wan.settings.RunSettings`."""

RunType = io.Custom("WAN_MOTION_RUN")
"""Carries a :class:`~nodes.keep.Run`."""

OptionsType = io.Custom("WAN_MOTION_OPTIONS")
"""Carries a :class:`~wan.options.VideoOptions`."""

CATEGORY = "Wan Motion"
MAKE, PROMPTS, KEEP = f"{CATEGORY}/make", f"{CATEGORY}/prompts", f"{CATEGORY}/keep"
MEASURE, FLOW, JOIN, TINY = f"{CATEGORY}/measure", f"{CATEGORY}/flow", f"{CATEGORY}/join", f"{CATEGORY}/tiny"
"""Where nodes are in the menu."""
