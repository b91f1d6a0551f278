"""Example workflows of finished videos: measured and joined."""

from __future__ import annotations

from .example_parts import clip
from .graph import Group, Node, Workflow, note
from .layout import SIDE, column, right

NOTES, LEFT, TOP = 40, 580, 120


def measure_seams() -> Workflow:
    load = clip()
    parts = Node("GetVideoComponents", {}, {"video": (load, "VIDEO")})
    seams = Node("WanMotionMeasureSeams", {}, {"images": (parts, "images")}, size=(560, 620))
    words = Node("PreviewAny", {}, {"source": (seams, "report")}, size=(520, 400))
    for left, node in ((LEFT, load), (LEFT + 320 + SIDE, parts)):
        node.pos = (left, TOP)
    seams.pos = (right(parts) + 2 * SIDE, TOP)
    words.pos = (right(seams) + 2 * SIDE, TOP)
    text = """# How visible are the seams of a video?

Choose any video. **seams** are the numbers of the first frames behind each seam, such as 81, 145; empty: it looks for \
places that stand out.

Every place is held against real, uncut video: jumps of motion, steps of color and sharpness, frames that stand \
still, are replayed, or flash."""
    about = note((460, 260), text)
    about.pos = (NOTES, TOP)
    groups = [
        Group("Video", "prompt", [load, parts]),
        Group("Measure", "video", [seams]),
        Group("Result", "result", [words]),
    ]
    return Workflow("Measure_any_video", groups, [about])


def join_clips() -> Workflow:
    clips = [clip(f"The {name} clip") for name in ("first", "second")]
    column(LEFT, TOP, *clips)
    links = {name: (node, "VIDEO") for name, node in zip(("first", "second"), clips, strict=True)}
    joined = Node("WanMotionJoinClips", {}, links)
    joined.pos = (right(*clips) + 2 * SIDE, TOP)
    save = Node("SaveVideo", {"filename_prefix": "video/joined"}, {"video": (joined, "video")})
    words = Node("PreviewAny", {}, {"source": (joined, "report")})
    column(right(joined) + 2 * SIDE, TOP, save, words)
    text = """# Join two clips

The last **overlap_frames** of the first clip and the first of the second should show the same: the second was made as \
the first one's continuation. Colors are matched, and the picture moves over rather than being mixed. The sound is \
that of the first clip.

Clips that share no frames: **Wan22_bridge_two_clips** makes what is between them."""
    about = note((460, 280), text)
    about.pos = (NOTES, TOP)
    groups = [
        Group("Clips", "prompt", clips),
        Group("Join", "video", [joined]),
        Group("Result", "result", [save, words]),
    ]
    return Workflow("Join_two_clips", groups, [about])


WORKFLOWS = (join_clips, measure_seams)
