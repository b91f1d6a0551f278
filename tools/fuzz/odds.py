"""How often what is drawn: so that most graphs run, and that what is hard to get right is met often."""

from __future__ import annotations

from ..graph import OURS

ROOTS = {
    OURS + "LongVideo": 50,
    OURS + "LongVideoCustom": 25,
    OURS + "AssembleVideo": 10,
}
"""Weights of what a graph is built around; every other node of ours that gives pictures or latents has 1."""
LINKED = {
    "settings": 1.0,
    "run": 0.9,
    "hooks": 0.6,
    "hook_kf": 0.3,
    "motion_region": 0.03,
    "timesteps": 0.2,
    "model_low_noise": 0.1,
}
"""How often an optional input is connected, by its name."""
OPTIONAL, WIDGET = 0.12, 0.006
"""How often any other one is, and how often a widget gets a link."""
SPOILED, BAD = 0.12, 0.03
"""How many graphs have values outside of what is allowed, and how many of their values are."""
NEVER = (OURS + "LoadRun",)
"""Feed nothing: what this one gives depends on when it runs."""
MANNERS = {
    OURS + "LongVideo": (
        ("clip",),
        ("clip", "options"),
        ("options",),
        ("clip", "prompt_stack"),
    ),
    OURS + "Options": (("positive", "negative"), ("positive", "negative"), ()),
    OURS + "LongVideoCustom": ((), (), (), ("clip", "prompt_stack")),
    OURS + "GuideNextChunk": (("positive", "negative", "model"),),
}
"""Optional inputs that belong together: one group is connected, what only the others name is most often not."""
PLAIN = {"MODEL": 0.35, "CONDITIONING": 0.45, "IMAGE": 0.75, "LATENT": 0.5, "SAMPLER": 0.5, "SIGMAS": 0.5, "MASK": 0.6}
"""How often a type comes from one of its plain makers."""
BASIC = {
    "MODEL": (OURS + "TinyModels", "UNETLoader"),
    "CLIP": (OURS + "TinyModels",),
    "CONDITIONING": ("CLIPTextEncode",),
    "IMAGE": (OURS + "TinyScene", "LoadImage"),
    "LATENT": ("EmptyHunyuanLatentVideo",),
    "MASK": ("SolidMask",),
    "SAMPLER": ("KSamplerSelect",),
    "GUIDER": ("CFGGuider", "BasicGuider"),
    "SIGMAS": ("BasicScheduler",),
    "HOOKS": ("CreateHookLora", "CreateHookLoraModelOnly"),
}
"""These, of a host that has them; of others, makers that need least."""
REUSED = 0.35
DEPTH = 4
