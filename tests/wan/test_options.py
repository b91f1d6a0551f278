from dataclasses import replace

import pytest
import torch
from wan_motion_chunks.wan.options import VideoOptions

ALL = {
    "positive": [[torch.zeros(1, 2, 3), {}]],
    "negative": [],
    "clip_vision_output": object(),
    "motion_region": torch.ones(1, 4, 4),
    "optical_flow": object(),
    "feature_continuity": 0.5,
    "noise": "fixed",
    "seeds": (7, 42),
    "switch_step": 3,
    "boundary": 0.875,
}


def test_what_is_as_it_was_is_not_used():
    assert VideoOptions().used == ()
    assert VideoOptions().idle(False) == ()


@pytest.mark.parametrize("name", ALL)
def test_an_input_that_is_set_is_used_by_the_name_that_a_person_sees(name):
    options = replace(VideoOptions(), **{name: ALL[name]})
    seen = "seed_list" if name == "seeds" else name
    assert options.used == (seen,)
    options.refuse({other: "" for other in ALL if other != seen})
    with pytest.raises(ValueError, match=f"^{seen}: no$"):
        options.refuse({seen: "no"})


def test_what_is_of_a_second_expert_does_nothing_without_one():
    options = VideoOptions(switch_step=2)
    assert [words.split()[0] for words in options.idle(False)] == ["switch_step"]
    assert options.idle(True) == ()
    both = VideoOptions(switch_step=2, boundary=0.5)
    assert [words.split()[0] for words in both.idle(False)] == ["switch_step", "boundary"]
    assert [words.split()[0] for words in both.idle(True)] == ["boundary"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"noise": "loud"}, "noise"),
        ({"noise": "list"}, "seed_list"),
        ({"feature_continuity": 1.5}, "feature_continuity"),
        ({"switch_step": -1}, "switch_step"),
        ({"boundary": 1.0}, "boundary"),
        ({"boundary": float("nan")}, "boundary"),
    ],
)
def test_what_cannot_be_is_refused_by_name(given, name):
    with pytest.raises(ValueError, match=f"^{name}[: ]"):
        VideoOptions(**given)
