"""Lines become jobs, or say by number and input why not."""

import json

import pytest
from wan_motion_chunks.farm.jobs import Line, Refusal, from_json, prepare, read_lines
from wan_motion_chunks.farm.names import KEEP
from wan_motion_chunks.farm.queue import Queue, Ticket

pytest.importorskip("fsspec")


def read(tmp_path, *texts):
    path = tmp_path / "jobs.jsonl"
    path.write_text("\n".join(texts), encoding="utf-8")
    return list(read_lines(path, tmp_path / "W.json"))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{broken", "JSON"),
        ('{"name": "a", "cfg": NaN}', "NaN"),
        ("[1]", "list"),
        ("{}", "name"),
        ('{"name": "../a"}', "name"),
        ('{"name": 3}', "name"),
        ('{"name": "a", "workflow": 3}', "workflow"),
        ('{"name": "a", "set": {"x": 1}}', "set"),
        ('{"name": "a", "redo": [0]}', "redo"),
        ('{"name": "a", "redo": [1], "scenes": true}', "redo"),
        ('{"name": "a", "scenes": 1}', "scenes"),
    ],
)
def test_a_broken_line_is_refused_by_number_and_the_others_are_read(tmp_path, text, named):
    first, second, third = read(tmp_path, '{"name": "before"}', text, '{"name": "behind"}')
    assert (first.name, third.name) == ("before", "behind")
    assert isinstance(second, Refusal)
    assert second.number == 2
    assert named in second.reason


def test_a_name_that_two_lines_have_is_refused_in_the_second(tmp_path):
    first, second = read(tmp_path, '{"name": "shot"}', '{"name": "Shot"}')
    assert isinstance(first, Line)
    assert second.number == 2
    assert "line 1" in second.reason


@pytest.mark.parametrize("prompt", ["x" * 300, "a\u2028b\u2029c\x85d", "a/b\0c", "."])
def test_a_prompt_may_be_long_and_hold_any_letter(tmp_path, prompt):
    text = json.dumps({"name": "shot", "prompt": prompt}, ensure_ascii=False)
    before, line, behind = read(tmp_path, '{"name": "before"}', text, '{"name": "behind"}')
    assert (before.number, line.number, behind.number) == (1, 2, 3)
    assert line.values == {"prompt": prompt}


@pytest.fixture
def made(tmp_path, object_info):
    """Makes the job of one line over the tiny workflow."""
    from wan_motion_chunks.farm.example import tiny_prompt
    from wan_motion_chunks.tools.workflow import to_prompt

    def run(change=None, **line):
        found = tiny_prompt(object_info) if change is None else change(tiny_prompt(object_info))
        (tmp_path / "W.json").write_text(json.dumps(found), encoding="utf-8")
        (line,) = read(tmp_path, json.dumps({"name": "shot"} | line))
        return prepare(line, object_info, to_prompt)

    return run


def test_a_line_sets_inputs_of_the_video_and_of_others_by_title_or_id(made):
    job = made(seed=7, length=99, set={"scene": {"seed": 5}, "save": {"filename_prefix": "x"}})
    assert job.prompt["video"]["inputs"]["seed"] == 7
    assert job.prompt["video"]["inputs"]["length"] == 99
    assert job.prompt["scene"]["inputs"]["seed"] == 5
    assert job.prompt["save"]["inputs"]["filename_prefix"] == "x"
    (keep,) = [node for node in job.prompt.values() if node["class_type"] == KEEP]
    assert keep["inputs"]["run_name"] == "shot"
    assert from_json(json.loads(json.dumps(job.to_json()))) == job


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ({"sed": 1}, ("sed", "seed", "length")),
        ({"set": {"scnee": {"seed": 1}}}, ("scnee", "scene", "video")),
        ({"set": {"scene": {"sede": 1}}}, ("sede", "sprites")),
        ({"start_image": 3}, ("start_image", "scene")),
        ({"workflow": "gone.json"}, ("workflow", "gone.json")),
    ],
)
def test_what_the_workflow_does_not_have_is_refused_with_what_there_is(made, line, named):
    with pytest.raises(ValueError, match=named[0]) as told:
        made(**line)
    assert all(name in str(told.value) for name in named)


def test_a_workflow_without_our_node_or_with_an_unknown_one_is_refused(made):
    with pytest.raises(ValueError, match="workflow"):
        made(lambda prompt: {"1": {"class_type": "EmptyImage", "inputs": {}}})
    with pytest.raises(ValueError, match="NoSuchNode"):
        made(lambda prompt: prompt | {"9": {"class_type": "NoSuchNode", "inputs": {}}})
    with pytest.raises(ValueError, match="workflow"):
        made(lambda prompt: {})


def with_picture(prompt):
    prompt["video"]["inputs"]["start_image"] = ["picture", 0]
    return prompt | {"picture": {"class_type": "LoadImage", "inputs": {"image": "gone.png"}}}


def test_a_picture_is_found_beside_the_jobs_and_named_by_its_content(made, tmp_path):
    from PIL import Image

    Image.new("RGB", (64, 64), "red").save(tmp_path / "a.png")
    job = made(with_picture, start_image="a.png")
    ((name, path),) = job.files.items()
    assert job.prompt["picture"]["inputs"]["image"] == name
    assert path == str(tmp_path / "a.png")
    Image.new("RGB", (64, 64), "blue").save(tmp_path / "a.png")
    assert made(with_picture, start_image="a.png").files.keys() != job.files.keys()


def test_a_missing_picture_is_refused_by_its_path(made):
    with pytest.raises(ValueError, match=r"image .*gone\.png"):
        made(with_picture)


def test_saved_workflows_are_converted_and_have_titles(object_info, tmp_path):
    from wan_motion_chunks.tools.workflow import EXAMPLES, to_prompt

    path = EXAMPLES / "Tiny_first_run.json"
    (line,) = read(tmp_path, json.dumps({"name": "shot", "seed": 11, "workflow": str(path)}))
    job = prepare(line, object_info, to_prompt)
    video = next(node for node in job.prompt.values() if "run" in node["inputs"])
    assert video["inputs"]["seed"] == 11
    assert all(node["_meta"]["title"] for node in job.prompt.values())


def test_jobs_go_where_their_models_are_and_wait_for_what_they_need(tiny):
    from dataclasses import replace

    jobs = [replace(tiny(name), models=models) for name, models in (("a", "x"), ("b", "y"), ("c", "x"))]
    last = replace(tiny("d"), after=("a", "b"), models="y")
    queue = Queue({job.name: Ticket(job, "queued") for job in (*jobs, last)})
    assert queue.pick("", set(), set()).job.name == "a"
    assert queue.pick("y", set(), set()).job.name == "b"
    assert queue.pick("", {"x"}, set()).job.name == "b"
    assert queue.pick("x", set(), {"a"}).job.name == "c"
    for name in ("a", "b", "c"):
        queue.tickets[name].status = "done"
    assert queue.pick("x", set(), set()).job.name == "d"
    queue.tickets["b"].status = "failed"
    assert [(ticket.job.name, name) for ticket, name in queue.blocked()] == [("d", "b")]


def test_attempts_that_make_nothing_are_counted_and_one_that_makes_a_chunk_begins_anew(tiny):
    queue = Queue(tries=3)
    ticket = Ticket(tiny("a"), "queued")
    assert queue.put_back(ticket, "away", 0, 0)
    assert queue.put_back(ticket, "away", 0, 0)
    assert queue.put_back(ticket, "away", 1, 1)
    assert queue.put_back(ticket, "away", 1, 0)  # a take of a chunk that there was before
    assert queue.put_back(ticket, "away", 0, 0)
    assert not queue.put_back(ticket, "away", 0, 0)
    assert ticket.chunks == 2
