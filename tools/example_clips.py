"""Example workflows of finished videos: measured and joined."""

from __future__ import annotations

from .example_parts import clip
from .graph import Node, Workflow, note


def measure_seams() -> Workflow:
    load, parts = clip(120)
    seams = Node("WanMotionMeasureSeams", (720, 120), (540, 500), {}, {"images": (parts, "images")})
    words = Node("PreviewAny", (1320, 120), (520, 300), {}, {"source": (seams, "report")})
    text = """# How visible are the seams of a video?

Choose any video. **seams** are the numbers of the first frames behind each seam, such as 81, 145; empty: it looks for \
places that stand out.

Every place is held against real, uncut video: jumps of motion, steps of color and sharpness, frames that stand \
still, are replayed, or flash."""
    return Workflow(
        "Measure_any_video",
        [
            ("Video", [load, parts, note((40, 480), (620, 300), text)]),
            ("Measure", [seams]),
            ("Result", [words]),
        ],
    )


def join_clips() -> Workflow:
    made = []
    for row, name in enumerate(("first", "second")):
        made.append(clip(120 + 380 * row, f"The {name} clip")[0])
    links = {"first": (made[0], "VIDEO"), "second": (made[1], "VIDEO")}
    joined = Node("WanMotionJoinClips", (420, 120), (340, 250), {}, links)
    save = Node("SaveVideo", (820, 120), (420, 380), {"filename_prefix": "video/joined"}, {"video": (joined, "video")})
    words = Node("PreviewAny", (820, 560), (420, 200), {}, {"source": (joined, "report")})
    text = """# Join two clips

The last **overlap_frames** of the first clip and the first of the second should show the same: the second was made as \
the first one's continuation. Colors are matched, and the picture moves over rather than being mixed. The sound is \
that of the first clip."""
    return Workflow(
        "Join_two_clips",
        [("Clips", made), ("Join", [joined, note((420, 460), (340, 260), text)]), ("Result", [save, words])],
    )


WORKFLOWS = (measure_seams, join_clips)
