"""What is asked of a video from some moment on: prompts, LoRAs, pictures, and how they come and go.

Texts are not encoded here, and LoRAs not loaded: a keyframe's ``positive`` is whatever the sampler can read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

from torch import Tensor

from .latents import LONGEST_CHUNK, latent_length
from .numbers import check_number, check_whole, is_number, shown

Unit = Literal["chunks", "seconds"]
UNITS: tuple[Unit, ...] = get_args(Unit)
LATEST = 100_000.0
"""Start and transition of a keyframe, at most, in its unit."""
STRONGEST = 100.0
"""Of a LoRA, either way."""


class Lora(NamedTuple):
    """An item of a LORA_STACK, as other packs make them: a plain tuple of these three."""

    name: str
    """File below ``models/loras``."""
    model: float
    """Strength on the diffusion model."""
    clip: float
    """Strength on the text encoder."""


@dataclass(frozen=True, eq=False)
class Keyframe:
    """What is asked from ``start`` on, until the next keyframe.

    Raises:
        ValueError: if a number is out of range, or a cut is asked to be gradual.
    """

    positive: Any
    """A text, or a conditioning."""
    negative: Any
    start: float = 0.0
    """A chunk, counted from 0, or seconds; see ``unit``. What people type counts from 1: :func:`keyframe_start`."""
    unit: Unit = "chunks"
    loras: tuple[Lora, ...] = ()
    low_noise_loras: tuple[Lora, ...] | None = None
    """For the second expert of Wan2.2; ``loras`` by default."""
    transition: float = 0.0
    """In ``unit``: over how long the keyframe takes over from the one before; 0 switches."""
    chunk_frames: int | None = None
    """Pixel frames of its chunks, 4n + 1; the plan's by default."""
    start_image: Tensor | None = None
    """An intended cut: its first chunk starts from this picture instead of the video so far."""
    end_image: Tensor | None = None
    """Where its last chunk is to arrive."""
    start_original: Tensor | None = None
    """``(1, 3, H, W)``: the first frame of ``start_image`` before it was scaled and cropped to the video."""
    end_original: Tensor | None = None
    """``(1, 3, H, W)``: ``end_image``, likewise."""

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"unit must be one of {', '.join(UNITS)}, got {shown(self.unit)}.")
        for name in ("start", "transition"):
            value = getattr(self, name)
            if is_number(value) and not value >= 0:
                raise ValueError(f"{name} must be 0 {self.unit} or more, got {shown(value)}.")
            check_number(name, value, 0, LATEST)
        if self.unit == "chunks" and self.start != int(self.start):
            raise ValueError(f"start must be a whole number of chunks, got {self.start}. Or set unit to seconds.")
        if self.chunk_frames is not None:
            object.__setattr__(self, "chunk_frames", check_whole("chunk_frames", self.chunk_frames, 1, LONGEST_CHUNK))
            try:
                latent_length(self.chunk_frames)
            except ValueError as error:
                raise ValueError(f"chunk_frames: {error}") from None
        if self.transition and self.cut:
            raise ValueError(
                f"transition is {self.transition}, but start_image makes a cut, which cannot be gradual. "
                "Set transition to 0 or take start_image away."
            )

    @property
    def cut(self) -> bool:
        return self.start_image is not None

    def describe(self) -> str:
        """Where it starts and what it asks for, in words."""
        words = f"from {moment_words(self.start, self.unit)}"
        if self.transition:
            words += f" over {moment_words(self.transition, self.unit, count=True)}"
        if self.cut:
            words += ", a cut to its own picture"
        if self.end_image is not None:
            words += ", to an end picture"
        if self.chunk_frames:
            words += f", chunks of {self.chunk_frames}"
        text = "encoded" if not isinstance(self.positive, str) else repr(self.positive) if self.positive else "no text"
        loras = "".join(f", LoRA {lora.name!r} {lora.model:g}/{lora.clip:g}" for lora in self.loras)
        return f"{words}: {text}{loras}"


@dataclass(frozen=True)
class ChunkPrompt:
    """The prompt and LoRAs of one chunk: keyframes in shares."""

    shares: tuple[tuple[int, float], ...] = ()
    """Keyframes by index, with shares that sum to 1; none where there are no keyframes."""
    loras: tuple[Lora, ...] = ()
    """With the strengths of this chunk."""
    low_noise_loras: tuple[Lora, ...] = ()

    def scaled(self, factor: float) -> ChunkPrompt:
        """With LoRAs on the diffusion models as strong as ``factor`` says; texts are encoded already."""

        def scale(loras: tuple[Lora, ...]) -> tuple[Lora, ...]:
            return tuple(lora._replace(model=factor * lora.model) for lora in loras)

        return replace(self, loras=scale(self.loras), low_noise_loras=scale(self.low_noise_loras))

    def describe(self) -> str:
        """In words: the keyframes by their numbers, and the strength of each LoRA."""
        prompts = " + ".join(
            f"prompt {index + 1}" + (f" {100 * share:.0f} %" if share < 1 else "") for index, share in self.shares
        )
        low = () if self.low_noise_loras == self.loras else self.low_noise_loras
        loras = [f"LoRA {lora.name!r} {lora.model:.2f}" for lora in self.loras]
        loras += [f"low-noise LoRA {lora.name!r} {lora.model:.2f}" for lora in low]
        return ", ".join((prompts, *loras))


def mix_keyframes(keyframes: Sequence[Keyframe], shares: Sequence[tuple[int, float]]) -> ChunkPrompt:
    """The prompt of a chunk, of keyframes in some shares: LoRAs as strong as the sum of what each keyframe asks for."""

    def mix(stacks: Iterable[tuple[tuple[Lora, ...], float]]) -> tuple[Lora, ...]:
        total: dict[str, Lora] = {}
        for loras, share in stacks:
            for lora in loras:
                sofar = total.get(lora.name, Lora(lora.name, 0.0, 0.0))
                total[lora.name] = Lora(lora.name, sofar.model + share * lora.model, sofar.clip + share * lora.clip)
        return tuple(lora for lora in total.values() if lora.model)

    return ChunkPrompt(
        tuple(shares),
        mix((keyframes[index].loras, share) for index, share in shares),
        mix((_low_noise(keyframes[index]), share) for index, share in shares),
    )


def _low_noise(keyframe: Keyframe) -> tuple[Lora, ...]:
    return keyframe.loras if keyframe.low_noise_loras is None else keyframe.low_noise_loras


def parse_stack(items: Sequence) -> tuple[Keyframe, ...]:
    """Keyframes from a prompt stack: keyframes, or lists ``[positive, negative, start_chunk, lora_stack]``.

    Raises:
        ValueError: if an item is neither, or two start at the same moment.
    """
    if not isinstance(items, (list, tuple)):
        raise ValueError(f"prompt_stack: expected a list of prompts, got {shown(items)}.")
    keyframes = []
    for number, item in enumerate(items, 1):
        if not isinstance(item, Keyframe):
            if not isinstance(item, (list, tuple)) or len(item) != 4:
                raise ValueError(
                    f"prompt_stack: item {number} should be [positive, negative, start_chunk, lora_stack], "
                    f"got {shown(item)}."
                )
            positive, negative, start, loras = item
            for name, value in (("positive", positive), ("negative", negative)):
                if not isinstance(value, (str, list, tuple)):
                    raise ValueError(
                        f"prompt_stack: {name} of item {number} should be a text or a conditioning, got {shown(value)}."
                    )
            if not is_number(start):
                raise ValueError(f"prompt_stack: start_chunk of item {number} should be a number, got {shown(start)}.")
            try:
                item = Keyframe(positive, negative, start, loras=parse_loras(() if loras is None else loras))
            except ValueError as error:
                raise ValueError(f"prompt_stack: item {number}: {error}") from None
        keyframes.append(item)
    moments: dict[tuple, int] = {}
    for number, keyframe in enumerate(keyframes, 1):
        first = moments.setdefault((keyframe.start, keyframe.unit), number)
        if first != number:
            listed = not all(isinstance(items[each - 1], Keyframe) for each in (first, number))
            raise ValueError(
                f"prompt_stack: items {first} and {number} both start at "
                f"{moment_words(keyframe.start, keyframe.unit)}"
                + (f" (start_chunk {keyframe.start:g}, counted from 0)" if listed else "")
                + ". Give each a start of its own."
            )
    return tuple(keyframes)


def keyframe_start(start: float, unit: Unit) -> float:
    """The start of a keyframe that people typed: a chunk, counted from 1, or seconds.

    Raises:
        ValueError: if it is no chunk.
    """
    if unit != "chunks":
        return start
    check_number("start", start, -LATEST, LATEST)
    if start < 1:
        raise ValueError(f"start: chunks count from 1, which is the first, got {shown(start)}. Or set unit to seconds.")
    if start != int(start):
        raise ValueError(f"start must be a whole number of chunks, got {start}. Or set unit to seconds.")
    return start - 1


def add_keyframe(before: Sequence, keyframe: Keyframe) -> tuple[Keyframe, ...]:
    """A prompt stack with one more.

    Raises:
        ValueError: if ``before`` is no stack, or has one that starts at the same moment.
    """
    keyframes = parse_stack(before)
    for number, other in enumerate(keyframes, 1):
        if (other.start, other.unit) == (keyframe.start, keyframe.unit):
            raise ValueError(
                f"start: prompt {number} of prompt_stack starts at {moment_words(keyframe.start, keyframe.unit)} too. "
                "Give each a start of its own."
            )
    return (*keyframes, keyframe)


def parse_loras(stack: Sequence) -> tuple[Lora, ...]:
    """Items of a LORA_STACK: ``(name, strength_model, strength_clip)``.

    Raises:
        ValueError: if an item has another form, or a strength is no number from -100 to 100.
    """
    if not isinstance(stack, (list, tuple)):
        raise ValueError(f"lora_stack: expected a list of LoRAs, got {shown(stack)}.")
    loras = []
    for number, item in enumerate(stack, 1):
        if not (isinstance(item, (list, tuple)) and len(item) == 3 and isinstance(item[0], str)):
            raise ValueError(
                f"lora_stack: item {number} should be (name, strength_model, strength_clip), got {shown(item)}."
            )
        strengths = (
            float(check_number(f"lora_stack: {name} of item {number}", value, -STRONGEST, STRONGEST))
            for name, value in zip(("strength_model", "strength_clip"), item[1:], strict=True)
        )
        loras.append(Lora(item[0], *strengths))
    return tuple(loras)


def moment_words(value: float, unit: Unit, count: bool = False) -> str:
    """A start, or with ``count`` a length of time, in words."""
    if unit == "seconds":
        return f"{value:g} s"
    # A keyframe's start counts from 0, as the lists of other packs do; what people type and read counts from 1.
    return f"{value:g} chunk{'s' if value != 1 else ''}" if count else f"chunk {value + 1:.7g}"
