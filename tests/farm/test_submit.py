"""What lines come to on a storage: jobs that stand there once, and refusals that leave the others."""

import json

import pytest
from wan_motion_chunks.farm.book import Book
from wan_motion_chunks.farm.command import submit
from wan_motion_chunks.farm.jobs import Job, read_lines
from wan_motion_chunks.farm.names import KEEP
from wan_motion_chunks.farm.storage import Storage

pytest.importorskip("fsspec")


@pytest.fixture
def book(tmp_path):
    return Book(Storage(str(tmp_path / "storage")))


@pytest.fixture
def put(book, shared, tmp_path):
    """Submits lines over a workflow: by line why it was refused."""
    from wan_motion_chunks.tools.workflow import to_prompt

    def run(workflow, *lines):
        (tmp_path / "W.json").write_text(json.dumps(workflow), encoding="utf-8")
        (tmp_path / "jobs.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
        found = list(read_lines(tmp_path / "jobs.jsonl", tmp_path / "W.json"))
        return {each.number: each.reason for each in submit(found, book, shared, to_prompt, ())}

    return run


def job(name, **inputs):
    return Job(name, {"1": {"class_type": KEEP, "inputs": {"run_name": name} | inputs}})


def test_a_name_stands_for_one_job(book):
    assert book.add(job("shot")) is None
    assert book.add(job("shot")) is None
    assert book.add(job("shot", variation=1)).startswith("name")
    assert book.clash(job("shot", variation=1)).startswith("name")
    assert book.job("shot") == job("shot")
    assert book.names() == ["shot"]
    assert book.runs() == {"shot": "shot"}


def test_scenes_that_are_refused_leave_the_other_lines(book, put, tiny):
    refused = put(tiny("any").prompt, {"name": "a"}, {"name": "uncut", "scenes": True}, {"name": "b"})
    assert refused.keys() == {2}
    assert refused[2].startswith("scenes")
    assert book.names() == ["a", "b"]


def test_a_run_that_another_line_has_is_refused(book, put, object_info):
    from wan_motion_chunks.farm.example import tiny_prompt

    two = tiny_prompt(object_info, 17)
    two |= {"video2": two["video"], "save2": {"class_type": "SaveVideo", "inputs": two["save"]["inputs"].copy()}}
    two["save2"]["inputs"]["video"] = ["video2", 3]
    refused = put(two, {"name": "a"}, {"name": "A-2"}, {"name": "b"})
    assert refused.keys() == {2}
    assert refused[2].startswith("run_name")
    assert book.names() == ["a", "b"]
    assert book.runs() == {"a": "a", "a-2": "a", "b": "b", "b-2": "b"}
    assert put(two, {"name": "a"}) == {}  # the same again
