"""Chunk files from strangers: taken whole and identical, or regenerated; never an error, never other frames."""

import json
import os
import random
from hashlib import sha256

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from wan_motion_chunks.tests.fakes import numbered_frames
from wan_motion_chunks.tests.wan.kept import file_of, files, run, start
from wan_motion_chunks.wan.runs.fingerprint import fingerprint_chunk
from wan_motion_chunks.wan.runs.load import load_run
from wan_motion_chunks.wan.runs.store import open_run

TOTAL = 17 + 2 * 8
often = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The folder of a run of three chunks, and its second file."""
    folder = tmp_path_factory.mktemp("runs")
    run(folder, start(TOTAL))
    return folder, files(folder)[1].read_bytes()


def take(folder, second: bytes):
    """What a run and Load Run make of another second file: the state behind it, or None, and the notes of both."""
    run_json = folder / "run" / "run.json"
    manifest = run_json.read_bytes()
    file_of(folder, 2).write_bytes(second)
    with open_run(folder, "run", fingerprint_chunk) as store:
        first = store.recall(start(TOTAL))
        found = store.recall(first)
        found = None if found is first else found
    run_json.write_bytes(manifest)
    loaded = load_run(folder, "run")
    shown = torch.cat(list(loaded.footage()))
    assert len(shown) == loaded.frames
    assert torch.isfinite(shown).all()
    assert torch.equal(shown[:17], numbered_frames(0, 17))
    return found, store.notes, loaded


def check_taken_or_made_again(folder, whole, second):
    found, notes, loaded = take(folder, second)
    if found is None:
        assert len(notes) == len(loaded.notes) == len(loaded.kept) == 1
        assert notes[0].startswith(f"{file_of(folder, 2).name} ")
        assert notes[0].endswith("not used")
        assert len(notes[0]) < 400
        assert notes[0].isprintable()
    else:
        assert torch.equal(found.video, numbered_frames(0, 25))
        assert len(loaded.kept) == 3
        expected, _, _ = take(folder, whole)
        assert (found.records, found.exact_frames) == (expected.records, expected.exact_frames)
        assert torch.equal(found.latent, expected.latent)


def parts(data: bytes):
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def joined(header, body: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def craft(data: bytes, change=lambda facts: None, tensors=None, text=None) -> bytes:
    """A file whose digests are right, as somebody who has read the source can make it."""
    metadata = parts(data)[0]["__metadata__"]
    facts = json.loads(metadata["facts"])
    facts = change(facts) or facts
    tensors = safetensors.torch.load(data) | (tensors or {})
    tensors = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    text = json.dumps(facts) if text is None else text
    record = facts.get("record") if isinstance(facts.get("record"), dict) else {}
    known = {name: value for name, value in facts.items() if name not in ("record", "results")}
    known |= {"index": record.get("index"), "frames": record.get("added")}
    digest = sha256(json.dumps(known, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    content = digest.hexdigest()
    seal = sha256(f"{content} {text}".encode()).hexdigest()
    return safetensors.torch.save(tensors, metadata | {"facts": text, "content": content, "seal": seal})


def test_the_crafted_file_is_right_where_nothing_is_changed(kept):
    folder, whole = kept
    found, notes, loaded = take(folder, craft(whole))
    assert torch.equal(found.video, numbered_frames(0, 25))
    assert (notes, len(loaded.kept)) == ([], 3)


def test_other_readers_of_safetensors_read_a_chunk(kept):
    folder, whole = kept
    take(folder, whole)
    path = file_of(folder, 2)
    tensors = safetensors.torch.load_file(path)
    assert torch.equal(tensors["added"].float(), numbered_frames(17, 8))
    assert tensors["latent"].shape == (1, 16, 5, 2, 4)
    assert path.stat().st_size == 8 + int.from_bytes(whole[:8], "little") + sum(t.nbytes for t in tensors.values())


@often
@given(st.integers(0, 2**32), st.integers(1, 4), st.sampled_from(["flip", "cut", "insert", "zeros"]))
def test_damage(kept, seed, count, kind):
    folder, whole = kept
    draw, data = random.Random(seed), bytearray(whole)
    header = 8 + int.from_bytes(whole[:8], "little")
    for _ in range(count):
        at = draw.randrange(header if draw.random() < 0.7 else len(data))  # the header is a small part of the file
        if kind == "flip":
            data[at] ^= 1 << draw.randrange(8)
        elif kind == "cut":
            del data[at : at + draw.randrange(1, 64)]
        elif kind == "insert":
            data[at:at] = draw.randbytes(draw.randrange(1, 64))
        else:
            data[at : at + 16] = bytes(16)
    check_taken_or_made_again(folder, whole, bytes(data))


@often
@given(st.data())
def test_a_header_that_says_something_else(kept, data):
    folder, whole = kept
    header, body = parts(whole)
    anything = st.recursive(
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=8,
    )
    name = data.draw(st.sampled_from([*header]))
    key = data.draw(st.sampled_from([*header[name], "other"]))
    value = data.draw(anything | st.sampled_from([[], [0], [2**63, 2], [-1], "F4", "F64", "BOOL", "I8"]))
    where = data.draw(st.sampled_from(["keyframe", "key", "more"]))
    if where == "keyframe":
        header[name] = value
    elif where == "key":
        header[name][key] = value
    else:
        header["more"] = value
    check_taken_or_made_again(folder, whole, joined(header, body))


FACTS = ["fingerprint", "own", "token", "reads", "read_frames", "read_latents", "attempt", "kept_end", "take"]
FACTS += ["start", "tail", "planned_overlap", "exact_frames", "record", "results", "other"]
RECORD = ["index", "added", "cut", "prompt", "speed", "adapted", "continuity", "join", "seam", "end_seam", "attempts"]
RECORD += ["other"]


def changed(name, value):
    """A change of one of the facts, or of what the record in them says."""
    if name in RECORD and name != "other":
        return lambda facts: facts | {"record": facts["record"] | {name: value}}
    return lambda facts: facts | {name: value}


@often
@given(
    st.sampled_from([*FACTS, *RECORD]),
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.integers(-2, 40) | st.floats() | st.text(max_size=70)
    | st.lists(st.integers(), max_size=3) | st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)  # fmt: skip
@example("added", 40)
@example("start", 16)
@example("planned_overlap", 10**18)
@example("planned_overlap", -3)
@example("tail", 8)
@example("exact_frames", 9)
@example("speed", float("nan"))
@example("speed", float("inf"))
@example("prompt", {"shares": [[-1, 1.0]], "loras": [], "low_noise_loras": []})
@example("prompt", {"shares": [[0, 1.0]], "loras": [["a\nb", 1.0, 1.0]], "low_noise_loras": []})
@example("adapted", [["a" * 2**21, 1.0]])
@example("attempts", True)
def test_facts_of_somebody_who_knows_the_digests(kept, name, value):
    folder, whole = kept
    found, _, loaded = take(folder, craft(whole, changed(name, value)))
    assert len(loaded.kept) in (1, 2, 3)
    if found is not None:  # what the frames do not depend on may be said in other words
        assert torch.equal(found.video, numbered_frames(0, 25))


@pytest.mark.parametrize(
    "tensors",
    [
        {"added": torch.zeros(2, 3, 16, 32)},
        {"added": torch.zeros(8, 3, 16, 32, dtype=torch.float64)},
        {"added": torch.zeros(8, 3, 16, 32, dtype=torch.bool)},
        {"added": torch.zeros(8, 3, 16, 32, dtype=torch.complex64)},
        {"added": torch.zeros((), dtype=torch.uint8)},
        {"added": torch.zeros(0, dtype=torch.uint8)},
        {"added": torch.zeros(8, 3, 0, 32, dtype=torch.uint8)},
        {"added": torch.zeros(8, 3, 32, 16, dtype=torch.uint8)},
        {"added": torch.zeros(8, 1, 16, 32, dtype=torch.uint8)},
        {"added": torch.full((8, 3, 16, 32), torch.nan, dtype=torch.float16)},
        {"added": None},
        {"latent": None},
        {"latent": torch.zeros(())},
        {"latent": torch.zeros(1, 16, 5, 2, 3)},
        {"latent": torch.zeros(1, 16, 4, 2, 4)},
        {"latent": torch.zeros(1, 48, 5, 2, 4)},
        {"latent": torch.zeros(1, 16, 5, 2, 4, dtype=torch.int64)},
        {"latent": torch.full((1, 16, 5, 2, 4), torch.inf)},
        {"tail": torch.zeros(9, 3, 16, 32, dtype=torch.uint8)},
        {"other": torch.zeros(1)},
    ],
    ids=lambda tensors: " ".join(f"{name} {getattr(value, 'shape', None)}" for name, value in tensors.items()),
)
def test_tensors_that_do_not_fit_are_made_again(kept, tensors):
    folder, whole = kept
    found, notes, loaded = take(folder, craft(whole, tensors=tensors))
    assert (found, len(notes), len(loaded.notes)) == (None, 1, 1)
    assert len(loaded.kept) <= 2  # how long a latent was to be the plan knows alone


def test_more_frames_than_there_are_give_no_memory_away(kept):
    folder, whole = kept
    few = {"added": torch.zeros(2, 3, 16, 32, dtype=torch.uint8)}
    found, notes, loaded = take(folder, craft(whole, changed("added", 40), few))
    assert (found, len(notes), loaded.frames) == (None, 1, 17)


@pytest.mark.parametrize(
    "text",
    ["[" * 10_000, '{"index":' * 10_000, "", "null", "[]", "1", "{}", '"facts"', "NaN", "9" * 5000, "{}}", "\ufeff{}"],
    ids=lambda text: ascii(text[:8]),
)
def test_facts_that_are_no_facts_are_made_again(kept, text):
    folder, whole = kept
    found, notes, loaded = take(folder, craft(whole, text=text))
    assert (found, len(notes), len(loaded.notes), len(loaded.kept)) == (None, 1, 1, 1)


def test_facts_that_are_said_twice_are_made_again(kept):
    folder, whole = kept
    text = json.loads(json.dumps(parts(whole)[0]["__metadata__"]["facts"]))
    found, notes, _ = take(folder, craft(whole, text=text[:-1] + ', "start": 17}'))
    assert (found, len(notes)) == (None, 1)


@pytest.mark.parametrize("length", [0, 1, 2**22, 100_000_000, 2**31, 2**63, 2**64 - 1])
def test_headers_of_any_length(kept, length):
    folder, whole = kept
    check_taken_or_made_again(folder, whole, length.to_bytes(8, "little") + whole[8:])


@pytest.mark.parametrize(
    "header",
    [b"[" * 10_000, b'{"a":' * 10_000, b"{}", b"null", b" " * 99, b'{"a":{},"a":{}}'],
    ids=lambda header: ascii(header[:8]),
)
def test_headers_that_are_none(kept, header):
    folder, whole = kept
    check_taken_or_made_again(folder, whole, joined(header, parts(whole)[1]))


@pytest.mark.parametrize("kind", ["pipe", "folder", "link to nothing", "link to a device", "link to itself"])
def test_what_is_no_file_is_no_chunk(tmp_path, kind):
    run(tmp_path, start(TOTAL))
    path = files(tmp_path)[1]
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)  # to open one waits for somebody who writes to it
    elif kind == "folder":
        path.mkdir()
    else:
        target = {"link to nothing": "nothing", "link to a device": "/dev/zero", "link to itself": path.name}[kind]
        path.symlink_to(target)
    assert len(load_run(tmp_path, "run").kept) == 1
    video, made, store, _ = run(tmp_path, start(TOTAL))
    assert torch.equal(video, numbered_frames(0, TOTAL))
    assert made[0] == 1
    assert path.is_dir() or (path.is_file() and not path.is_symlink())
    assert bool(store.notes) == (kind != "link to nothing")
