"""Scenes with known motion: textured sprites over a panning background, drawn from a seed.

What the tiny models are trained on and measured against. Positions are in pixels, x to the right
and y downwards, with pixel centers at half integers; velocities are in pixels per frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

SIZE = 64
SPRITES = 2
SHAPES = ("ball", "square", "diamond")
PALETTE = {
    "red": (0.85, 0.15, 0.15),
    "green": (0.15, 0.70, 0.20),
    "blue": (0.15, 0.25, 0.85),
    "yellow": (0.90, 0.80, 0.15),
    "purple": (0.60, 0.15, 0.75),
    "white": (0.92, 0.92, 0.92),
    "black": (0.08, 0.08, 0.08),
    "orange": (0.95, 0.50, 0.10),
}
COMPASS = ("right", "down right", "down", "down left", "left", "up left", "up", "up right")
CONTRAST = 0.35
"""Between a sprite's stripes, which run along either diagonal: a model this small has to carry them about."""
STILL_BELOW, FAST_ABOVE = 0.2, 1.2
"""Speeds, in pixels per frame, at which a caption says ``still`` and ``fast``."""


@dataclass(frozen=True)
class Scenes:
    """A batch of clips and the truth about them."""

    frames: Tensor
    """``(B, T, 3, H, W)`` RGB in [0, 1]; on the device that was asked for, all else on the CPU."""
    captions: tuple[str, ...]
    """What each sprite is about to do, and how the camera pans."""
    centers: Tensor
    """``(B, N, T, 2)`` pixels: sprite centers as x, y."""
    present: Tensor
    """``(B, N)`` bool: which of the N sprites the scene has. A later sprite hides an earlier one."""
    pan: Tensor
    """``(B, 2)`` pixels per frame: how the background moves."""
    appearance: Appearance

    @property
    def velocities(self) -> Tensor:
        """``(B, N, T - 1, 2)`` pixels per frame, from each frame to the next."""
        return self.centers.diff(dim=2)


@dataclass(frozen=True)
class Appearance:
    """What sprites look like, wherever they are. All tensors are ``(B, N, ...)``."""

    shape: Tensor
    """``(B, N)`` index into :data:`SHAPES`."""
    radius: Tensor
    """``(B, N)`` pixels."""
    color: Tensor
    """``(B, N, 2, 3)`` RGB in [0, 1]: the two colors of the stripes."""
    stripes: Tensor
    """``(B, N)`` radians: direction of the stripes."""

    def select(self, part: slice) -> Appearance:
        """The appearance of some of the scenes."""
        return Appearance(self.shape[part], self.radius[part], self.color[part], self.stripes[part])

    def to(self, device: torch.device | str) -> Appearance:
        """The same on another device."""
        return Appearance(*(value.to(device) for value in (self.shape, self.radius, self.color, self.stripes)))


def draw_scenes(
    count: int,
    length: int,
    generator: torch.Generator,
    *,
    size: int = SIZE,
    turn: float = 0.2,
    two_sprites: float = 0.4,
    pan: float = 0.4,
    max_speed: float = 2.4,
    say_motion: float = 1.0,
    told: Tensor | None = None,
    turn_at: Tensor | None = None,
    device: torch.device | str = "cpu",
) -> Scenes:
    """Draw ``count`` clips of ``length`` frames, all from ``generator`` (CPU).

    Args:
        size: height and width in pixels.
        turn: share of sprites that take a new velocity in the middle of the clip.
        two_sprites: share of scenes with a second sprite.
        pan: share of scenes whose background moves.
        max_speed: pixels per frame; a tenth of the sprites stand still.
        say_motion: share of captions that name the motion; the others only say what is seen.
        told: ``(count,)`` int: the frame whose caption it is, by default the first. It names the velocity from
            there to the next frame, or after the sprite's turn if that is still to come.
        turn_at: ``(count,)`` int: the frame from which on a turning sprite has its new velocity; where negative, any.
        device: where the frames are painted, and stay; all numbers are drawn on the CPU, and the same for each device.
    """

    def uniform(*shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return torch.rand(*shape, generator=generator) * (high - low) + low

    present = torch.ones(count, SPRITES, dtype=torch.bool)
    present[:, 1] = uniform(count) < two_sprites
    names = torch.stack([torch.randperm(len(PALETTE), generator=generator)[:2] for _ in range(count)])
    palette = torch.tensor(list(PALETTE.values()))
    base = palette[names]
    shade = torch.where(base.mean(-1, keepdim=True) > 0.5, base * (1 - CONTRAST), base + (1 - base) * CONTRAST)
    appearance = Appearance(
        shape=torch.randint(0, len(SHAPES), (count, SPRITES), generator=generator),
        radius=uniform(count, SPRITES, low=0.15, high=0.20) * size,
        color=torch.stack((base, shade), dim=2),
        stripes=(torch.randint(0, 4, (count, SPRITES), generator=generator) + 0.5) * (math.pi / 2),
    )

    first = _draw_velocity(uniform, count, max_speed)
    turns = uniform(count, SPRITES, 1) < turn
    second = torch.where(turns, _draw_velocity(uniform, count, max_speed), first)
    when = torch.randint(1, max(length, 2), (count, SPRITES, 1), generator=generator)
    if turn_at is not None:
        when = torch.where(turn_at[:, None, None] >= 0, turn_at[:, None, None], when)
    step = torch.where((torch.arange(length - 1) < when)[..., None], first[:, :, None], second[:, :, None])
    # Of four places the second sprite takes the farthest from the first: a sprite that starts out hidden
    # cannot be told what to do.
    place, others = uniform(count, 1, 2), uniform(count, 4, 2)
    farthest = (others - place).norm(dim=-1).argmax(dim=1)
    place = torch.cat((place, others[torch.arange(count), farthest][:, None]), dim=1)  # (B, N, 2)
    start = appearance.radius[..., None] + place * (size - 2 * appearance.radius[..., None])
    traveled = torch.cat((start[:, :, None], start[:, :, None] + step.cumsum(2)), dim=2)
    margin = appearance.radius[..., None, None]
    centers = margin + _bounce(traveled - margin, size - 2 * margin)

    camera = uniform(count, 2, low=-1.0, high=1.0) * (uniform(count, 1) < pan)
    frames = _draw_background(uniform, count, length, size, camera, device)
    look, places, seen = appearance.to(device), centers.to(device), present.to(device)
    for index in range(SPRITES):
        alpha, texture = sprite_layer(look, index, places[:, index], size)
        alpha = alpha * seen[:, index, None, None, None, None]
        frames = frames * (1 - alpha) + texture * alpha

    said = torch.zeros(count, 1, dtype=torch.long) if told is None else told[:, None]
    said = torch.maximum(said, when[..., 0] * turns[..., 0]).clamp(max=max(length - 2, 0))  # (B, N)
    moving = torch.cat((centers.diff(dim=2), torch.zeros(count, SPRITES, 1, 2)), dim=2)
    heading = moving.gather(2, said[..., None, None].expand(-1, -1, 1, 2))[:, :, 0]
    spoken = (uniform(count) < say_motion) & (length > 1)
    captions = tuple(
        _describe(appearance, names, present, heading, camera, scene, bool(spoken[scene])) for scene in range(count)
    )
    return Scenes(frames.clamp(0, 1), captions, centers, present, camera, appearance)


def sprite_layer(appearance: Appearance, index: int, centers: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Coverage ``(B, T, 1, H, W)`` in [0, 1] and color ``(B, T, 3, H, W)`` of one sprite at ``centers`` (B, T, 2)."""
    position = torch.arange(size, device=centers.device) + 0.5
    dx = position - centers[..., 0, None, None]  # (B, T, 1, W)
    dy = position[:, None] - centers[..., 1, None, None]  # (B, T, H, 1)
    radius = appearance.radius[:, index, None, None, None]
    shape = appearance.shape[:, index, None, None, None]
    ball = (dx.square() + dy.square()).sqrt() - radius
    square = torch.maximum(dx.abs(), dy.abs()) - radius * 0.85
    diamond = dx.abs() + dy.abs() - radius * 1.2
    distance = torch.where(shape == 0, ball, torch.where(shape == 1, square, diamond))
    angle = appearance.stripes[:, index, None, None, None]
    # Half a stripe pair per radius: coarse enough for 16 latent channels, fine enough for optical flow.
    wave = torch.sin((dx * angle.cos() + dy * angle.sin()) * (3.0 / radius)) * 0.5 + 0.5
    first, second = appearance.color[:, index, :, None, :, None, None].unbind(1)
    return (0.5 - distance / 1.5).clamp(0, 1)[:, :, None], first * wave[:, :, None] + second * (1 - wave[:, :, None])


def _draw_velocity(uniform, count: int, max_speed: float) -> Tensor:
    """``(B, N, 2)``: a tenth still, the others slow or fast, and mostly clear of the border between them."""
    slow = uniform(count, SPRITES, 1, low=0.4, high=1.0)
    fast = uniform(count, SPRITES, 1, low=1.4, high=max(max_speed, 1.4))
    speed = torch.where(uniform(count, SPRITES, 1) < 0.5, slow, fast).clamp(max=max_speed)
    speed = speed * (uniform(count, SPRITES, 1) >= 0.1)
    angle = uniform(count, SPRITES, high=2 * math.pi)
    return torch.stack((angle.cos(), angle.sin()), dim=-1) * speed


def _bounce(position: Tensor, extent: Tensor) -> Tensor:
    """Fold a straight path into [0, extent] as a triangle wave does."""
    folded = position.remainder(2 * extent)
    return torch.where(folded > extent, 2 * extent - folded, folded)


def _draw_background(uniform, count: int, length: int, size: int, camera: Tensor, device) -> Tensor:
    def drawn(*shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return uniform(*shape, low=low, high=high).to(device)

    camera = camera.to(device)
    time = torch.arange(length, dtype=torch.float32, device=device)[None, :, None, None]
    position = torch.arange(size, device=device) + 0.5
    x = position - camera[:, 0, None, None, None] * time  # (B, T, 1, W)
    y = position[:, None] - camera[:, 1, None, None, None] * time  # (B, T, H, 1)
    image = drawn(count, 1, 3, 1, 1, low=0.25, high=0.75).expand(count, length, 3, size, size)
    for wavelength, amplitude in ((1.2, 0.20), (0.5, 0.08)):
        angle, phase = drawn(count, high=2 * math.pi), drawn(count, high=2 * math.pi)
        period = size * wavelength * drawn(count, low=0.8, high=1.25)
        across = x * angle.cos()[:, None, None, None] + y * angle.sin()[:, None, None, None]
        wave = torch.sin(across * (2 * math.pi / period)[:, None, None, None] + phase[:, None, None, None])
        tint = drawn(count, 1, 3, 1, 1, low=-amplitude, high=amplitude)
        image = image + wave[:, :, None] * tint
    return image


def _describe(appearance, names, present, heading, camera, scene: int, spoken: bool) -> str:
    colors = list(PALETTE)
    clauses = []
    for index in range(SPRITES):
        if not present[scene, index]:
            continue
        color = colors[names[scene, index]]
        clause = f"{'an' if color == 'orange' else 'a'} {color} {SHAPES[appearance.shape[scene, index]]}"
        if spoken:
            clause += " " + describe_velocity(heading[scene, index])
        clauses.append(clause)
    if spoken and camera[scene].abs().max() > 0:
        clauses.append(f"camera {describe_velocity(camera[scene])}")
    return ", ".join(clauses)


def describe_velocity(velocity: Tensor) -> str:
    """``still``, or one of eight directions and ``slow`` or ``fast``; ``velocity`` is ``(2,)`` in pixels per frame."""
    x, y = velocity.tolist()
    speed = math.hypot(x, y)
    if speed < STILL_BELOW:
        return "still"
    direction = COMPASS[round(math.atan2(y, x) / (math.pi / 4)) % 8]
    return f"moves {direction} {'fast' if speed > FAST_ABOVE else 'slow'}"
