"""Takes in the real host: kept, chosen, made again, and taken up without Keep Run."""

from types import SimpleNamespace

import pytest
import torch
from wan_motion_chunks.tests.host.video import keep, long_video
from wan_motion_chunks.tests.reports import read_report
from wan_motion_chunks.wan.runs.load import load_run

TOTAL = 17 + 3 * 8


@pytest.fixture(scope="module")
def image():
    return torch.rand(1, 40, 56, 3, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def make(tiny, image, conditioning):
    def run(picture=image, model=tiny[0], positive=conditioning[0], **changed):
        values = {"width": 48, "height": 32, "length": float(TOTAL)} | changed
        return long_video((model, *tiny[1:]), picture, positive, conditioning[1], "euler", "simple", **values)

    return run


@pytest.fixture
def interrupted(comfy, monkeypatch):
    """A context in which the host is interrupted once so many sampling calls are done."""
    import contextlib

    import comfy.model_management
    import comfy.sample

    @contextlib.contextmanager
    def run(after):
        real, done = comfy.sample.sample, []

        def sample(*arguments, **more):
            if len(done) == after:
                raise comfy.model_management.InterruptProcessingException
            done.append(None)
            return real(*arguments, **more)

        with monkeypatch.context() as patched:
            patched.setattr(comfy.sample, "sample", sample)
            with pytest.raises(comfy.model_management.InterruptProcessingException):
                yield

    return run


def test_two_videos_under_one_name_are_both_there(make, output, image):
    run = keep(frames_in_memory=False, takes_to_keep=1)  # as a list of pictures makes them
    videos = [make(picture, run=run)[3] for picture in (image, 1 - image)]
    alone = [make(picture, run=keep(run_name=f"alone-{n}"))[0] for n, picture in enumerate((image, 1 - image))]
    for video, frames in zip(videos, alone, strict=True):
        assert torch.equal(video.get_components().images, frames)


def test_another_seed_is_another_take_and_the_first_one_comes_back(make, output, made):
    first = make(run=keep())[0]
    second = make(run=keep(), seed=8)[0]
    assert not torch.equal(first, second)
    for seed, frames in ((7, first), (8, second)):
        assert torch.equal(make(run=keep(), seed=seed)[0], frames)
        assert made() == (0, 4)
        assert torch.equal(torch.cat(list(load_run(output, "run").footage())).movedim(1, -1), frames)
    make(run=keep(takes_to_keep=1), seed=8)
    assert len(list((output / "run").glob("chunk_*.safetensors"))) == 4
    make(run=keep(), seed=7)
    assert made() == (4, 0)


def test_a_patch_that_counts_while_it_runs_makes_nothing_again(make, output, made, tiny):
    from comfy_extras.nodes_apg import APG

    def patched():
        return APG.execute(tiny[0], 1.0, 5.0, 0.5).args[0]

    model = patched()
    frames = make(model=model, run=keep())[0]
    assert torch.equal(make(model=model, run=keep())[0], frames)
    assert made() == (0, 4)
    make(model=patched(), run=keep())  # as another process makes it
    assert made() == (0, 4)
    make(model=APG.execute(tiny[0], 1.0, 5.0, 0.4).args[0], run=keep())
    assert made() == (4, 0)


def test_a_hook_of_another_strength_makes_another_video(make, output, made, tiny, image):
    import comfy.hooks
    from comfy_extras.nodes_hooks import ConditioningSetProperties

    clip = tiny[1]
    weight = next(name for name in tiny[0].model_state_dict() if name.endswith("blocks.0.self_attn.v.weight"))
    target = {weight: tiny[0].model_state_dict()[weight] + 0.05}

    def hooked(strength):
        hooks = comfy.hooks.create_hook_model_as_lora(target, None, strength, 0.0)
        text = clip.encode_from_tokens_scheduled(clip.tokenize("a red ball moves left"))
        return ConditioningSetProperties().set_properties(text, 1.0, "default", hooks=hooks)[0]

    first = make(positive=hooked(1.0), run=keep())[0]
    second = make(positive=hooked(0.1), run=keep())[0]
    assert made() == (4, 0)
    assert not torch.equal(first, second)
    assert torch.equal(make(positive=hooked(1.0), run=keep())[0], first)
    assert made() == (0, 4)


def test_a_video_stops_and_goes_on(make, output, made):
    whole = make(run=keep(run_name="whole"))[0]
    for expected in ((2, 0), (2, 2), (0, 4)):
        frames, _, report, video = make(run=keep(stop_after=2))
        assert made() == expected
        assert torch.equal(frames, whole[: len(frames)])
        assert video.get_frame_count() == len(frames) == (25 if sum(expected) == 2 else TOTAL)
        assert len(read_report(report).warnings) == (sum(expected) == 2)


def test_one_chunk_is_made_again_between_its_neighbors(make, output, made, finished):
    values = {"chunk_frames": 33, "length": 33.0 + 2 * 24}
    before = make(run=keep(), **values)[0]
    kept = list(finished[-1][1].kept)
    after = make(run=keep(vary_from=2, keep_later=True), **values)[0]
    assert made() == (1, 2)
    store = finished[-1][1]
    old, new = (chunks[1].read("latent")["latent"] for chunks in (kept, store.kept))
    assert torch.equal(old[:, :, -3:], new[:, :, -3:])
    assert not torch.equal(old[:, :, -4], new[:, :, -4])
    assert torch.equal(before[:33], after[:33])
    assert torch.equal(before[57 - 9 :], after[57 - 9 :])
    assert not torch.equal(before[33:45], after[33:45])
    assert finished[-1][0].records[1].end_seam is not None


def test_without_keep_run_an_interrupted_video_goes_on(make, output, made, interrupted, caplog):
    from wan_motion_chunks.nodes import LoadRun
    from wan_motion_chunks.nodes.runs import unkept_folder

    with interrupted(after=3):
        make()
    (folder,) = unkept_folder().iterdir()
    assert any(folder.name in record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    partial = LoadRun.execute(folder.name, 16.0).args[0]
    assert len(partial) == 33
    frames = make()[0]
    assert made() == (1, 3)
    assert torch.equal(frames[:33], partial)
    assert not output.exists()
    kept = {path.name for path in folder.iterdir()}
    for path in folder.iterdir():
        path.unlink()
    assert torch.equal(make()[0], frames)  # to the bit, for nothing was rounded
    assert {path.name for path in folder.iterdir()} == kept


def test_without_keep_run_temporary_files_may_go_at_any_time(make, comfy, monkeypatch):
    import shutil

    import comfy.sample
    from wan_motion_chunks.nodes.runs import unkept_folder

    expected, real, done = make()[0], comfy.sample.sample, []

    def sample(*arguments, **more):
        done.append(None)
        if len(done) == 3:  # as another host on this folder does when it starts
            shutil.rmtree(unkept_folder())
        return real(*arguments, **more)

    shutil.rmtree(unkept_folder())
    monkeypatch.setattr(comfy.sample, "sample", sample)
    assert torch.equal(make()[0], expected)
    assert len(done) == 4


def test_what_an_unkept_video_has_already_is_room_of_its_own(make, comfy, monkeypatch):
    from wan_motion_chunks.nodes import runs

    make()
    (folder,) = runs.unkept_folder().iterdir()
    own = sum(path.stat().st_size for path in folder.glob("chunk_*.safetensors"))
    monkeypatch.setattr(runs.shutil, "disk_usage", lambda path: SimpleNamespace(free=3 * own))
    assert runs.make_room(folder.name) == 2 * own  # half of what is free and its own
    assert folder.is_dir()
    monkeypatch.setattr(runs.shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    assert runs.make_room("another") == round(own / 2)
    assert not folder.exists()


def test_videos_without_keep_run_take_a_bounded_part_of_the_disk(make, comfy, monkeypatch, finished):
    from wan_motion_chunks.nodes import runs

    sizes = []
    for seed in range(5):
        monkeypatch.setattr(runs, "LARGEST", 1_500_000)
        make(seed=seed)
        sizes.append(sum(path.stat().st_size for path in runs.unkept_folder().glob("*/chunk_*")))
    assert max(sizes) <= 1_500_000
    assert len(list(runs.unkept_folder().iterdir())) < 5
    monkeypatch.setattr(runs, "LARGEST", 300_000)
    frames = make(seed=9)[0]
    assert len(frames) == TOTAL
    assert len(finished[-1][1].notes) == 1


@pytest.mark.parametrize(
    ("changed", "name"),
    [({"vary_from": 5}, "vary_from"), ({"use_takes": "5: 1"}, "use_takes"), ({"use_takes": "2: 1"}, "use_takes")],
    ids=str,
)
def test_chunks_that_are_not_there_are_refused(make, output, changed, name, finished):
    with pytest.raises(Exception, match=f"^{name}: "):
        make(run=keep(**changed))
    assert not list(output.glob("*/chunk_*"))


def test_what_is_set_without_what_it_belongs_to_is_told(make, output):
    report = make(run=keep(keep_later=True), length=17.0)[2]
    assert read_report(report).warnings[0].startswith("keep_later ")
    report = make(seed_list="7, 8", length=17.0)[2]
    assert read_report(report).warnings[0].startswith("seed_list ")
    assert any(detail.startswith("wan_motion_runs/unkept-") for detail in read_report(report).details)


def test_the_host_is_told_to_look_again_when_others_change_the_files(make, output):
    from wan_motion_chunks.nodes import KeepRun

    look = KeepRun.fingerprint_inputs
    assert look(None, stop_after=0) != look(None, stop_after=0)  # a linked name is not known yet
    first = look("run", stop_after=0)
    make(run=keep())
    assert look("run", stop_after=0) == first
    make(run=keep(), seed=8)  # by another graph
    assert look("run", stop_after=0) == first
    next((output / "run").glob("chunk_0002_*.safetensors")).unlink()
    second = look("run", stop_after=0)
    assert second != first
    make(run=keep())
    assert look("run", stop_after=0) == second
    make(run=keep(stop_after=1), seed=9)  # is to go on when it is queued again
    assert look("run", stop_after=1) != second


@pytest.mark.parametrize("fault", ["no locks", "another job", "read only"])
def test_what_keeps_temporary_files_from_being_written_costs_no_video(make, comfy, monkeypatch, fault, finished):
    import errno
    import os

    from wan_motion_chunks.nodes import runs
    from wan_motion_chunks.wan.runs import files, lock

    expected = make()[0]
    for folder in runs.unkept_folder().iterdir():
        for path in folder.iterdir():
            path.unlink()

    def refuse(code):
        def call(*arguments):
            raise OSError(code, os.strerror(code))

        return call

    if fault == "read only":
        monkeypatch.setattr(files, "_create", refuse(errno.EROFS))
    else:
        monkeypatch.setattr(lock, "_lock", refuse(errno.ENOLCK if fault == "no locks" else errno.EAGAIN))
    frames, _, report, _ = make()
    assert torch.equal(frames, expected)
    assert len(finished[-1][1].notes) == 1
    assert finished[-1][1].notes[0] in read_report(report).details
    assert not list(runs.unkept_folder().glob("*/chunk_*"))
