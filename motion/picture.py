"""Pictures of flow: the Middlebury color wheel with its legend, arrows, occlusion and confidence."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .flow import Flow
from .label import draw_text
from .warp import exact, pixel_grid, vector_length

STYLES = ("colors", "arrows", "confidence")
LEGEND = 8
"""The legend's wheel is this fraction of the picture's shorter side."""
LETTERING, SMALLEST = 4, 10
"""The legend's font is this fraction of its wheel, and no smaller than this many pixels, so that it can be read."""
SPACING = 16
"""Pixels between arrows."""
RIM, BEYOND = 1.0001, 0.75
"""Shares of ``largest`` and of its brightness: the length of the vector that sets the scale, and what is longer."""


def show_flow(
    flow: Flow, style: str, *, largest: float | None = None, ground: Tensor | None = None, hidden: Tensor | None = None
) -> Tensor:
    """One picture per flow.

    Args:
        flow: of N pairs.
        style: one of :data:`STYLES`: the color wheel with its legend, arrows, or the confidence.
        largest: pixels in full color, the longest of all by default; and of an arrow from one to the next, which
            otherwise ends where its pixel goes.
        ground: ``(N, 3, H, W)`` to draw arrows on; gray by default.
        hidden: ``(N, 1, H, W)``, tinted where it is 1.

    Returns:
        ``(N, 3, H, W)`` RGB in [0, 1].
    """
    if style not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}, got {style!r}.")
    length = longest(flow.displacement) if largest is None else largest
    pictures = []
    for one in range(len(flow.displacement)):  # one at a time: colors take ten times the memory of their flow
        part = slice(one, one + 1)
        shown = Flow(flow.displacement[part], flow.confidence[part])
        if style == "confidence":
            picture = heat_map(shown.confidence)
        elif style == "colors":
            picture = flow_to_rgb(shown.displacement, largest=length)
        else:
            under = torch.full_like(shown.confidence, 0.5).expand(-1, 3, -1, -1) if ground is None else ground[part]
            scale = 1.0 if largest is None else SPACING / largest
            picture = draw_arrows(under.to(shown.displacement), shown.displacement * scale)
        if hidden is not None:
            picture = overlay_mask(picture, hidden[part])
        if style == "colors":
            _paste(picture, legend(length, picture))
        pictures.append(picture)
    return torch.cat(pictures)


def flow_to_rgb(displacement: Tensor, *, largest: float | None = None) -> Tensor:
    """Direction as hue and length as saturation, in the colors of the Middlebury benchmark, to 8 bits.

    Args:
        displacement: ``(N, 2, H, W)`` pixels.
        largest: length that is fully saturated, in pixels; the longest of all by default. Longer ones are darkened.

    Returns:
        ``(N, 3, H, W)`` RGB in [0, 1]; white where nothing moves.
    """
    from torchvision.utils import flow_to_image  # here: torchvision takes seconds to import

    if largest is None:
        largest = longest(displacement)
    elif not largest > 0:
        raise ValueError(f"largest must be above 0 pixels, got {largest}.")
    displacement, dtype = displacement.float(), displacement.dtype
    length = vector_length(displacement)
    within = displacement * (largest / length.clamp(min=largest))
    # The longest vector that flow_to_image sees gets full color: one beside the picture. It is a little longer than
    # largest, for what rounding puts above 1 comes out of 8 bits as another color.
    rim = torch.zeros_like(within[..., :1])
    rim[:, 0] = largest * RIM
    colors = flow_to_image(torch.cat((within, rim), dim=-1))[..., :-1].to(dtype) / 255
    return torch.where(length <= largest, colors, colors * BEYOND)


def longest(displacement: Tensor) -> float:
    """Length of the longest vector, in pixels; a little more than 0 where all rest."""
    return max(vector_length(displacement.float()).max().item(), 1e-6)


def legend(largest: float, picture: Tensor) -> Tensor:
    """The color wheel, with the length of its rim in pixels where there is room for it.

    Args:
        largest: pixels in full color.
        picture: ``(N, 3, H, W)`` that it is meant for.

    Returns:
        ``(1, 3, h, w)`` RGB in [0, 1], an eighth of the picture or more.
    """
    side = max(1, min(picture.shape[-2:]) // LEGEND)
    wheel = color_wheel(side, picture)
    decimals = 2 if largest < 10 else 1 if largest < 100 else 0
    text = draw_text(f"{largest:.{decimals}f}px", picture, size=max(SMALLEST, side // LETTERING))
    if side < text.shape[-2]:
        return wheel
    white = wheel.new_ones(1, 3, side + text.shape[-2], max(side, text.shape[-1]))
    white[..., :side, -side:] = wheel
    white[..., side:, -text.shape[-1] :] = text
    return white


def color_wheel(size: int, like: Tensor) -> Tensor:
    """``(1, 3, size, size)``: the colors of all directions, right pointing right, on white."""
    center = (size - 1) / 2
    offset = (pixel_grid(size, size, like) - center) / max(center, 1)
    inside = offset.norm(dim=1, keepdim=True) <= 1
    return torch.where(inside, flow_to_rgb(offset, largest=1.0), torch.ones_like(offset[:, :1]))


def draw_arrows(picture: Tensor, displacement: Tensor, *, spacing: int = SPACING) -> Tensor:
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
    displacement = exact(displacement)
    start = pixel_grid(height, width, displacement)[..., first::spacing, first::spacing]
    vector = displacement[..., first::spacing, first::spacing]
    steps = max(2, math.ceil(vector.abs().max().item()) + 1) if vector.numel() else 2
    along = torch.linspace(0, 1, steps).to(displacement).view(-1, 1, 1, 1, 1)
    drawn = picture.clone()
    for points, color in ((start + along * vector, 0.0), (start + vector[None], 1.0)):
        x, y = points.round().long().unbind(2)  # (steps, N, rows, columns)
        frame = torch.arange(len(picture), device=x.device).view(1, -1, 1, 1).expand_as(x)
        seen = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        drawn[frame[seen], :, y[seen], x[seen]] = color
    return drawn


def overlay_mask(picture: Tensor, mask: Tensor, *, color: tuple[float, float, float] = (1.0, 0.0, 0.3)) -> Tensor:
    """Tint ``(N, 3, H, W)`` where ``mask`` ``(N, 1, H, W)`` is 1, keeping half of the picture."""
    tint = picture.new_tensor(color).view(1, 3, 1, 1)
    return picture + 0.5 * mask.to(picture) * (tint - picture)


def heat_map(value: Tensor) -> Tensor:
    """``(N, 1, H, W)`` in [0, 1] to ``(N, 3, H, W)``: black, red, yellow, white."""
    return torch.cat([(value * 3 - channel).clamp(0, 1) for channel in range(3)], dim=1)


def _paste(picture: Tensor, corner: Tensor) -> None:
    """Into the lower right corner, as far as it fits."""
    h, w = (min(sides) for sides in zip(picture.shape[-2:], corner.shape[-2:], strict=True))
    picture[..., -h:, -w:] = corner[..., -h:, -w:]
