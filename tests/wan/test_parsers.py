"""What people write and link: a value or a ValueError that names the input, in a time that grows with its length."""

import math
import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wan_motion_chunks.wan import Keyframe, Lora, parse_schedule, parse_stack
from wan_motion_chunks.wan.noise import MAX_SEED
from wan_motion_chunks.wan.numbers import check_number, check_whole, parse_numbers, shown
from wan_motion_chunks.wan.prompts import parse_loras

LENGTH = 100_000
HOSTILE = {
    "spaces": lambda n: "1" + " " * n + "x",
    "spaces between": lambda n: "1" + " " * (n // 3) + "over" + " " * (n // 3) + "2" + " " * (n // 3) + "x",
    "leading spaces": lambda n: " " * n + "1 over",
    "tabs and s": lambda n: "1" + "\ts" * (n // 2),
    "digits": lambda n: "1" * n + "x",
    "digits and a colon": lambda n: "1" * n + ": x",
    "fraction": lambda n: "1." + "1" * n,
    "dots": lambda n: "1." * (n // 2) + ":",
    "over": lambda n: "1 " + "over " * (n // 5),
    "colons": lambda n: "1" + ":" * n,
    "ratios": lambda n: "16:9 " * (n // 5),
    "lines": lambda n: "\n".join(f"{k}: x" for k in range(n // 8)),
    "lines of spaces": lambda n: "0: x\n" + (" " * 100 + "\n") * (n // 101),
    "times": lambda n: "\n".join(f"{k}s x" for k in range(n // 8)),
    "spans": lambda n: "\n".join(f"{k}-{k + 1}s: x" for k in range(n // 12)),
    "clocks": lambda n: "\n".join(f"{k // 60}:{k % 60:02} x" for k in range(n // 8)),
    "one long prompt": lambda n: "1:\n" + "x\n" * (n // 2),
    "dashes": lambda n: "1" + " -" * (n // 2),
    "brackets": lambda n: "[" * n + "1]",
    "a late fault": lambda n: "\n".join(f"{k}: x" for k in range(n // 8)) + "\n1" + " " * (n // 4) + "x",
}
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=3)
    | st.sampled_from(["9" * 5000, math.nan, math.inf, object()])
    | st.builds(pow, st.just(10), st.just(5000)),  # which Python refuses to write out
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def attempt(parse, *arguments, **more):
    """What was read and no words, or None and why nothing was."""
    try:
        return parse(*arguments, **more), ""
    except ValueError as error:
        return None, str(error)


def needed(parse, text):
    """Seconds of this process's own, the least of three."""
    times = []
    for _ in range(3):
        began = time.process_time()
        _, refused = attempt(parse, text)
        times.append(time.process_time() - began)
        assert len(refused) < 400
    return min(times)


@pytest.mark.parametrize("shape", HOSTILE)
@pytest.mark.parametrize(
    "parse", [parse_schedule, lambda text: parse_numbers("seed_list", text)], ids=["marks", "seeds"]
)
def test_a_text_of_any_length_is_read_in_a_time_that_grows_with_it(parse, shape):
    make = HOSTILE[shape]
    short, long = needed(parse, make(LENGTH // 4)), needed(parse, make(LENGTH))
    # Four times the text takes four times as long where that is linear, 16 where it is quadratic. What takes no time
    # worth measuring passes.
    assert long < max(9 * short, 0.02)


@settings(deadline=None, max_examples=300)
@given(st.text() | st.text("0123456789.:s over\n\u2028-[]chunkto", max_size=60) | anything)
@example("9" * 400 + ": x")
@example("0: x\n" + "9" * 400 + "s over 1s: x")
@example("\ud800: x")
def test_every_schedule_is_read_or_refused_by_name(text):
    keyframes, refused = attempt(parse_schedule, text)
    if refused:
        assert refused.startswith("prompt")
        assert len(refused) < 400
    else:
        assert keyframes
        assert all(isinstance(keyframe, Keyframe) and keyframe.describe() for keyframe in keyframes)


@settings(deadline=None, max_examples=300)
@given(st.text() | st.text("0123456789 ,\n-", max_size=60) | anything)
@example("9" * 5000)
@example("0" * 5000 + "7")
@example("\uff17")
def test_every_list_of_numbers_is_read_or_refused_by_name(text):
    numbers, refused = attempt(parse_numbers, "seed_list", text)
    if refused:
        assert refused.startswith("seed_list: expected")
        assert len(refused) < 400
    else:
        assert all(0 <= number <= MAX_SEED for number in numbers)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(anything, max_size=3)
    | st.lists(st.tuples(st.text(), anything, anything), max_size=3)
    | st.lists(st.tuples(st.text(), st.floats(), st.integers()), max_size=3)
    | anything
)
def test_every_lora_stack_is_read_or_refused_by_name(stack):
    loras, refused = attempt(parse_loras, stack)
    if refused:
        assert refused.startswith("lora_stack: ")
    else:
        assert all(isinstance(lora, Lora) and abs(lora.model) <= 100 and abs(lora.clip) <= 100 for lora in loras)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(anything, max_size=3)
    | st.lists(st.tuples(st.text(), st.text(), anything, anything), max_size=3)
    | st.lists(st.tuples(st.text(), st.text(), st.floats() | st.integers(), st.none()), max_size=3)
    | anything
)
def test_every_prompt_stack_is_read_or_refused_by_name(stack):
    keyframes, refused = attempt(parse_stack, stack)
    if refused:
        assert refused.startswith("prompt_stack: ")
    else:
        assert all(0 <= keyframe.start <= 100_000 and keyframe.describe() for keyframe in keyframes)


@settings(deadline=None, max_examples=300)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("start", "transition", "chunk_frames", "unit"), anything)))
def test_every_entry_is_made_or_names_what_is_wrong(values):
    keyframe, refused = attempt(Keyframe, "a", "b", **values)
    if refused:
        assert refused.split()[0].rstrip(":") in values
    else:
        assert keyframe.describe()


@settings(deadline=None)
@given(anything)
def test_a_number_is_taken_as_it_is_or_refused_by_name(value):
    for check in (check_number, check_whole):
        found, refused = attempt(check, "fps", value, -3, 1000)
        if refused:
            assert refused.startswith("fps must be ")
        else:
            assert found == value
            assert -3 <= found <= 1000
            assert check is check_number or isinstance(found, int)


@settings(deadline=None)
@given(anything)
def test_what_a_message_repeats_is_short(value):
    assert len(shown(value)) <= 163


@pytest.mark.parametrize("strength", ["x", "0.5", None, True, math.nan, math.inf, 10**400, 100.5, [1.0]])
def test_a_strength_that_is_no_number_is_refused(strength):
    with pytest.raises(ValueError, match=f"^lora_stack: strength_clip of item 2 .*{re.escape(shown(strength))}"):
        parse_loras([("a", 1, 1.0), ("b", 1.0, strength)])
