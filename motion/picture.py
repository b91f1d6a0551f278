"""Pictures of flow: the Middlebury colour wheel with its legend, arrows, occlusion and confidence."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .flow import Flow
from .warp import pixel_grid

SEGMENTS = (15, 6, 4, 11, 13, 6)
"""Steps from red to yellow, green, cyan, blue, magenta and back (Baker et al. 2011)."""


STYLES = ("colours", "arrows", "confidence")
LEGEND = 8
"""The legend's side is this fraction of the picture's shorter one."""


def show_flow(
    flow: Flow, style: str, *, largest: float | None = None, ground: Tensor | None = None, hidden: Tensor | None = None
) -> Tensor:
    """One picture per flow.

    Args:
        flow: of N pairs.
        style: one of :data:`STYLES`: the colour wheel with its legend, arrows, or the confidence.
        largest: length in full colour, in pixels; the longest by default.
        ground: ``(N, 3, H, W)`` to draw arrows on; gray by default.
        hidden: ``(N, 1, H, W)``, tinted where it is 1.

    Returns:
        ``(N, 3, H, W)`` RGB in [0, 1].
    """
    if style not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}, got {style!r}.")
    if largest is None:
        largest = max(flow.displacement.norm(dim=1).max().item(), 1e-6)
    pictures = []
    for one in range(len(flow.displacement)):  # one at a time: colours take ten times the memory of their flow
        part = slice(one, one + 1)
        shown = Flow(flow.displacement[part], flow.confidence[part])
        picture = _show(shown, style, largest, None if ground is None else ground[part])
        if hidden is not None:
            picture = overlay_mask(picture, hidden[part])
        if style == "colours":
            side = max(1, min(picture.shape[-2:]) // LEGEND)
            picture[..., -side:, -side:] = legend(side, picture)
        pictures.append(picture)
    return torch.cat(pictures)


def _show(flow: Flow, style: str, largest: float, ground: Tensor | None) -> Tensor:
    if style == "confidence":
        return heat_map(flow.confidence)
    if style == "colours":
        return flow_to_rgb(flow.displacement, largest=largest)
    if ground is None:
        ground = torch.full_like(flow.displacement[:, :1], 0.5).expand(-1, 3, -1, -1)
    return draw_arrows(ground.to(flow.displacement), flow.displacement)


def flow_to_rgb(displacement: Tensor, *, largest: float | None = None) -> Tensor:
    """Direction as hue and length as saturation, in the colours of the Middlebury benchmark.

    Args:
        displacement: ``(N, 2, H, W)`` pixels.
        largest: length that is fully saturated, in pixels; the longest of all by default. Longer ones are darkened.

    Returns:
        ``(N, 3, H, W)`` RGB in [0, 1]; white where nothing moves.
    """
    length = displacement.norm(dim=1, keepdim=True)
    if largest is None:
        largest = max(length.max().item(), 1e-6)
    elif not largest > 0:
        raise ValueError(f"largest must be above 0 pixels, got {largest}.")
    radius = length / largest
    wheel = _wheel().to(displacement)  # (55, 3)
    turn = torch.atan2(-displacement[:, 1], -displacement[:, 0]) / (2 * math.pi) + 0.5
    position = turn * (len(wheel) - 1)
    below = position.floor().long().clamp(0, len(wheel) - 1)
    share = (position - below)[..., None]
    hue = torch.lerp(wheel[below], wheel[(below + 1) % len(wheel)], share).movedim(-1, 1)  # (N, 3, H, W)
    return torch.where(radius <= 1, 1 - radius * (1 - hue), hue * 0.75)


def legend(size: int, like: Tensor) -> Tensor:
    """``(1, 3, size, size)``: the colour wheel, right pointing right, on white; on the device of ``like``."""
    centre = (size - 1) / 2
    offset = (pixel_grid(size, size, like) - centre) / max(centre, 1)
    inside = offset.norm(dim=1, keepdim=True) <= 1
    return torch.where(inside, flow_to_rgb(offset, largest=1.0), torch.ones_like(offset[:, :1]))


def draw_arrows(picture: Tensor, displacement: Tensor, *, spacing: int = 16) -> Tensor:
    """Draw the flow as black lines with white heads, one every ``spacing`` pixels.

    Args:
        picture: ``(N, 3, H, W)`` RGB in [0, 1].
        displacement: ``(N, 2, H, W)`` pixels.
        spacing: pixels between arrows.

    Returns:
        ``(N, 3, H, W)``; the arrow's head is where its pixel moves to.
    """
    height, width = picture.shape[-2:]
    first = spacing // 2
    displacement = displacement.to(torch.promote_types(displacement.dtype, torch.float32))
    start = pixel_grid(height, width, displacement)[..., first::spacing, first::spacing]
    vector = displacement[..., first::spacing, first::spacing]
    steps = max(2, math.ceil(vector.abs().max().item()) + 1) if vector.numel() else 2
    along = torch.linspace(0, 1, steps).to(displacement).view(-1, 1, 1, 1, 1)
    drawn = picture.clone()
    for points, colour in ((start + along * vector, 0.0), (start + vector[None], 1.0)):
        x, y = points.round().long().unbind(2)  # (steps, N, rows, columns)
        frame = torch.arange(len(picture), device=x.device).view(1, -1, 1, 1).expand_as(x)
        seen = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        drawn[frame[seen], :, y[seen], x[seen]] = colour
    return drawn


def overlay_mask(picture: Tensor, mask: Tensor, *, colour: tuple[float, float, float] = (1.0, 0.0, 0.3)) -> Tensor:
    """Tint ``(N, 3, H, W)`` where ``mask`` ``(N, 1, H, W)`` is 1, keeping half of the picture."""
    tint = picture.new_tensor(colour).view(1, 3, 1, 1)
    return picture + 0.5 * mask.to(picture) * (tint - picture)


def heat_map(value: Tensor) -> Tensor:
    """``(N, 1, H, W)`` in [0, 1] to ``(N, 3, H, W)``: black, red, yellow, white."""
    return torch.cat([(value * 3 - channel).clamp(0, 1) for channel in range(3)], dim=1)


def _wheel() -> Tensor:
    """``(55, 3)``: around the hues, one channel rising or falling at a time."""
    corners = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1], [1, 0, 0]]).float()
    parts = [
        torch.lerp(start, end, (torch.arange(count) / count)[:, None])
        for count, start, end in zip(SEGMENTS, corners[:-1], corners[1:], strict=True)
    ]
    return torch.cat(parts)
