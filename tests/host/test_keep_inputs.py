"""What Keep Run, Load Run and the seeds refuse, whatever is linked to them, and what becomes an IMAGE."""

import os
import re

import pytest
import torch
from wan_motion_chunks.tests.host.video import keep
from wan_motion_chunks.tests.reports import read_report
from wan_motion_chunks.tests.wan.kept import file_of, run, start
from wan_motion_chunks.wan.numbers import shown
from wan_motion_chunks.wan.runs.names import RunError


def test_a_name_that_leads_elsewhere_is_refused(output):
    from wan_motion_chunks.nodes import LoadRun

    with pytest.raises(RunError, match=r"^run_name: .*\.\./x"):
        keep(run_name="../x")
    with pytest.raises(ValueError, match=r"^run_name: .* wan_motion_runs/nothing"):
        LoadRun.execute("nothing", 16.0)


@pytest.mark.parametrize(
    "changed",
    [{"vary_from": value} for value in (-1, 100_001, 1.5, float("nan"), None, True, 10**40)]
    + [{"variation": value} for value in (-1, 1_000_001, "1", float("inf"))]
    + [{"stop_after": -1}, {"stop_after": float("nan")}, {"takes_to_keep": -1}, {"takes_to_keep": True}],
    ids=lambda changed: " ".join(f"{name} {value}"[:30] for name, value in changed.items()),
)
def test_linked_values_beyond_the_widgets_are_refused(comfy, changed):
    (name,) = changed
    with pytest.raises(ValueError, match=rf"^{name} must be .*got {re.escape(shown(changed[name]))}"):
        keep(**changed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        (" 3 : 2 ", {2: 2}),
        ("3: 2, 5:1;7:1\n", {2: 2, 4: 1, 6: 1}),
        *(
            (wrong, None)
            for wrong in ("3", "0: 1", "3: 0", "3: 2: 1", "a: 1", "3: 1, 3: 2", "-1: 1", "1.5: 1", "9" * 9999)
        ),
    ],
    ids=lambda value: str(value)[:20],
)
def test_takes_are_named_by_chunk_and_number(comfy, text, expected):
    if expected is not None:
        assert keep(use_takes=text).use_takes == expected
        return
    with pytest.raises(ValueError, match=r"^use_takes: ") as caught:
        keep(use_takes=text)
    assert len(str(caught.value)) < 200


def test_what_to_do_when_unsure_is_one_of_two_things(comfy):
    assert keep(when_unsure="reuse").reuse_unsure
    with pytest.raises(ValueError, match=r"^when_unsure must be"):
        keep(when_unsure="perhaps")


@pytest.mark.parametrize("fps", [0, -1.0, 0.0001, float("nan"), float("inf"), 1e300, 1001])
def test_a_rate_that_no_video_has_is_refused_before_the_run_is_read(output, fps):
    from wan_motion_chunks.nodes import LoadRun

    with pytest.raises(ValueError, match=rf"^fps must be .*got {re.escape(shown(fps))}"):
        LoadRun.execute("run", fps)


def test_an_image_of_fewer_frames_than_promised_is_no_image(comfy):
    from wan_motion_chunks.nodes.layout import gather_image

    part = torch.rand(2, 3, 4, 4)
    assert torch.equal(gather_image(4, [part, part])[2:], part.movedim(1, -1))
    for count in (3, 5, 40):
        with pytest.raises(ValueError, match=f"{count} frames, got 4"):
            gather_image(count, [part, part])


@pytest.mark.parametrize("count", [1, 8, 9, 1_000_000])
def test_a_million_seeds_make_a_short_report(comfy, count):
    from wan_motion_chunks.wan.host.noise import ChunkNoise

    words = ChunkNoise(0, "list", tuple(range(count))).describe()
    assert words.startswith("noise list, seed 0")
    assert len(words) < 80
    assert words.endswith(f" and {count - 8} more" if count > 8 else f"{count - 1}")


def test_a_name_is_one_run_however_it_is_typed(output):
    from wan_motion_chunks.nodes import LoadRun

    typed = ("cafe\u0301", "caf\xe9")
    assert {keep(run_name=name).name for name in typed} == {"caf\xe9"}
    run(output, start(17), name=typed[0])
    reports = [read_report(LoadRun.execute(name, 16.0).args[2]) for name in typed]
    assert [report.summary.count(typed[1]) for report in reports] == [1, 1]
    assert [[row[2] for row in report.rows] for report in reports] == [["17"], ["17"]]
    assert [path.name for path in output.iterdir()] == ["caf\xe9"]


def test_a_run_that_came_further_is_loaded_anew_and_no_other(output):
    from wan_motion_chunks.nodes import LoadRun

    seen = [LoadRun.fingerprint_inputs("run", 16.0)]
    for frames in (17, 25):
        run(output, start(frames))
        seen.append(LoadRun.fingerprint_inputs("run", 16.0))
    assert len(set(seen)) == 3
    (output / "run" / "notes.txt").write_bytes(b"\xff" * 99)  # is somebody's own
    assert LoadRun.fingerprint_inputs("run", 16.0) == seen[-1]
    assert len(LoadRun.execute("run", 16.0).args[0]) == 25
    file_of(output, 2).unlink()
    assert LoadRun.fingerprint_inputs("run", 16.0) != seen[-1]


def test_what_is_left_out_is_in_the_report(output):
    from wan_motion_chunks.nodes import LoadRun

    run(output, start(33))
    file_of(output, 2).write_bytes(b"x" * 99)
    frames, _, report = LoadRun.execute("run", 16.0).args
    assert len(frames) == 17
    read = read_report(report)
    assert len(read.rows) == 1
    assert read.details[1].startswith(f"{file_of(output, 2).name} is damaged")
    assert len(read.details) == 3  # the one whole chunk, this, and what is on disk


def listed():
    from wan_motion_chunks.nodes import LoadRun

    return next(each.options for each in LoadRun.define_schema().inputs if each.id == "run_name")


def test_load_run_lists_the_kept_runs_and_then_those_of_this_session(output):
    from wan_motion_chunks.nodes.runs import unkept_folder

    assert listed() == []
    for folder, name in ((unkept_folder(), "unkept-0a0a0a0a"), (output, "older"), (output, "newer")):
        run(folder, start(17), name=name)
    for age, name in ((100, "older"), (50, "newer")):
        for path in (output / name).iterdir():
            os.utime(path, (path.stat().st_mtime - age,) * 2)
    (output / "not a run").mkdir()
    (output / "..hidden").mkdir()
    (output / "..hidden" / "run.json").write_text("{}", encoding="utf-8")
    (output / "a file").write_text("", encoding="utf-8")
    assert listed() == ["newer", "older", "unkept-0a0a0a0a"]


def test_a_run_of_another_machine_is_refused_with_those_that_are_here(output):
    from wan_motion_chunks.nodes import LoadRun

    run(output, start(17), name="mine")
    with pytest.raises(ValueError, match=r"^run_name: .*theirs.*mine"):
        LoadRun.execute("theirs", 16.0)
    with pytest.raises(RunError, match=r"^run_name: .*\.\./mine"):
        LoadRun.execute("../mine", 16.0)
    for index in range(20):
        run(output, start(17), name=f"run {index}")
    with pytest.raises(ValueError, match=r"^run_name: ") as error:
        LoadRun.execute("theirs", 16.0)
    assert str(error.value).endswith(" and 13 more.")
