"""What the chunks of a run are told besides their guides: prompts, LoRAs, CLIP vision features."""

from __future__ import annotations

from ..wan.encoding import encode_entries
from ..wan.features import FeatureTrack
from ..wan.host import check_end
from ..wan.lora import LoraFiles
from ..wan.prompts import Entry, parse_schedule, parse_stack
from ..wan.state import ChunkState


def read_prompts(prompt_stack, prompt: str, negative_prompt: str, positive=None, negative=None, clip=None):
    """The entries of a run, from a stack, two conditionings or the prompt widgets.

    Raises:
        ValueError: if there is more than one of them, or none.
    """
    if prompt_stack is not None:
        if positive is not None or negative is not None:
            raise ValueError("prompt_stack: positive and negative are connected as well. Disconnect one or the other.")
        entries = parse_stack(prompt_stack)
        if not entries:
            raise ValueError("prompt_stack: expected at least one prompt, got none. Add one with Prompt Stack.")
        return entries
    for name, conditioning in (("positive", positive), ("negative", negative)):
        if conditioning is None and clip is None:
            raise ValueError(f"Connect {name} (a conditioning), or clip so that the prompt widgets can be encoded.")
    negative = negative_prompt if negative is None else negative
    return parse_schedule(prompt, negative) if positive is None else (Entry(positive, negative),)


def encode_prompts(state: ChunkState, model, clip) -> tuple[tuple, LoraFiles]:
    """Conditionings of each entry, and the LoRAs; checks that the model can be told all pictures."""
    entries = state.plan.entries
    if state.end is not None:
        check_end(model)
    for number, entry in enumerate(entries, 1):
        if entry.end_image is not None:
            check_end(model, f"prompt_stack: end_image of prompt {number}")
    files = LoraFiles(entries, model, clip)
    return encode_entries(entries, clip, lambda loras: files.on_clip(clip, loras)), files


def read_features(state: ChunkState, output, encoder, strength: float) -> tuple[FeatureTrack, tuple[str, ...]]:
    """Features by chunk, and what the report should say of them."""
    cuts = [chunk.index + 1 for chunk in state.plan.chunks if state.plan.cuts(chunk)]
    notes = ()
    if cuts and output is not None and encoder is None:
        notes = (
            f"clip_vision_output shows the start image, so chunks from the cut at chunk {cuts[0]} on go without: "
            "connect clip_vision for features of their own",
        )
    return FeatureTrack(state.start[:1], output, encoder, strength), notes
