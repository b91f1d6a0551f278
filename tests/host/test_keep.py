"""Kept runs in the real host: resumed, streamed, loaded, and equal to what was never kept."""

import json
import re

import av
import numpy
import pytest
import torch
from PIL import Image
from wan_motion_chunks.tests.host.video import custom_video, execute, guiders, keep, long_video
from wan_motion_chunks.tests.reports import read_report

TOTAL = 17 + 3 * 8


@pytest.fixture(scope="module")
def image():
    return torch.rand(1, 40, 56, 3, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def make(tiny, image, conditioning):
    def run(model=None, **changed):
        values = {"width": 48, "height": 32, "length": float(TOTAL)} | changed
        return long_video((model or tiny[0], *tiny[1:]), image, *conditioning, "euler", "simple", **values)

    return run


def test_a_kept_first_chunk_is_the_same_up_to_half_precision(make, output, made):
    plain, _, _, _ = make(length=17.0)
    frames, _, _, _ = make(length=17.0, run=keep())
    torch.testing.assert_close(frames, plain, atol=3e-4, rtol=0)
    assert made() == (1, 0)


def test_an_interrupted_run_goes_on_and_ends_as_one_that_was_not(make, output, made, comfy, monkeypatch):
    import comfy.model_management
    import comfy.utils
    from wan_motion_chunks.nodes import LoadRun
    from wan_motion_chunks.wan.runs.load import load_run

    whole, latent, _, _ = make(run=keep(run_name="whole"))

    def stop(value, total, preview, node_id=None):
        if value > 6_500:
            raise comfy.model_management.InterruptProcessingException

    with monkeypatch.context() as patched:
        patched.setattr(comfy.utils, "PROGRESS_BAR_HOOK", stop)
        with pytest.raises(comfy.model_management.InterruptProcessingException):
            make(run=keep())
    partial, video, report = LoadRun.execute("run", 16.0).args
    assert 17 <= len(partial) < TOTAL
    assert video.get_frame_count() == len(partial)
    kept = [each.facts.record for each in load_run(output, "run").kept]
    assert [record.added for record in kept] == [17] + [8] * ((len(partial) - 17) // 8)
    details = read_report(report).details
    assert details[:-1] == [record.describe() for record in kept]  # the last is what is on disk
    assert len(read_report(report).rows) == len(kept)
    frames, resumed, _, _ = make(run=keep())
    assert torch.equal(frames, whole)
    assert torch.equal(resumed["samples"], latent["samples"])
    again, taken = made()
    assert (again + taken, taken) == (4, 1 + (len(partial) - 17) // 8)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, (0, 4)),
        ({"length": TOTAL + 8.0}, (1, 4)),
        ({"steps": 5}, (4, 0)),
        ({"cfg": 1.0}, (4, 0)),
        ({"seed": 8}, (4, 0)),
        ({"noise": "fixed"}, (3, 1)),
        ({"scheduler": "beta"}, (4, 0)),
        ({"positive": "other"}, (4, 0)),
        ({"model": "shifted"}, (4, 0)),
        ({"model": "patched"}, (4, 0)),
        ({"settings": "gain"}, (3, 1)),
        ({"run": {"vary_from": 3}}, (2, 2)),
        ({"start_image": "other"}, (4, 0)),
    ],
    ids=str,
)
def test_what_differs_is_made_again_from_the_first_chunk_that_differs(
    make, output, made, tiny, image, conditioning, changed, expected
):
    from comfy_extras.nodes_model_advanced import ModelSamplingSD3
    from wan_motion_chunks.wan.settings import choose_settings

    def patched():
        model = tiny[0].clone()
        key = next(name for name in model.model_state_dict() if name.endswith("blocks.0.self_attn.v.weight"))
        model.add_patches({key: ("diff", (torch.full(model.model_state_dict()[key].shape, 1e-3),))}, 1.0)
        return model

    make(run=keep())
    values = dict(changed)
    values["run"] = keep(**values.get("run", {}))
    if values.get("positive"):
        values["positive"] = conditioning[1]
    if values.get("settings"):
        values["settings"] = choose_settings(own={"overlap_frames": 8, "step_gain": 0.1})
    if values.get("model"):
        values["model"] = patched() if values["model"] == "patched" else ModelSamplingSD3().patch(tiny[0], 5.0)[0]
    picture = 1 - image if values.pop("start_image", None) else image
    model = values.pop("model", None) or tiny[0]
    positive = values.pop("positive", conditioning[0])
    values = {"width": 48, "height": 32, "length": float(TOTAL)} | values
    arguments = {"sampler_name": "euler", "scheduler": values.pop("scheduler", "simple")}
    long_video((model, *tiny[1:]), picture, positive, conditioning[1], **arguments, **values)
    assert made() == expected


def test_a_second_run_in_another_process_takes_everything(make, output, made, tiny, monkeypatch):
    # What the host numbers anew in every process may not tell runs apart.
    import uuid

    make(run=keep())
    model = tiny[0].clone()
    model.patches_uuid = uuid.uuid4()
    make(model=model, run=keep())
    assert made() == (0, 4)


def test_streaming_gives_a_video_and_no_frames(make, output, tmp_path):
    from comfy_api.latest import InputImpl
    from comfy_execution.graph_utils import ExecutionBlocker

    whole, _, _, _ = make(run=keep(run_name="whole"))
    frames, _, _, video = make(run=keep(frames_in_memory=False))
    plain = InputImpl.VideoFromComponents(video.get_components())
    assert isinstance(frames, ExecutionBlocker)
    assert video.get_dimensions() == (48, 32)
    assert video.get_frame_count() == TOTAL
    assert video.get_duration() == TOTAL / 16
    assert torch.equal(video.get_components().images, whole)
    video.save_to(str(tmp_path / "a.mp4"), metadata={"prompt": {"1": "x"}})
    plain.save_to(str(tmp_path / "b.mp4"), metadata={"prompt": {"1": "x"}})
    pictures = []
    for name in ("a.mp4", "b.mp4"):
        with av.open(str(tmp_path / name)) as container:
            assert json.loads(container.metadata["prompt"]) == {"1": "x"}
            assert container.streams.video[0].average_rate == 16
            pictures.append([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    assert len(pictures[0]) == TOTAL
    # The encoder's threads decide otherwise from run to run: both are as far from the frames as each other, or less.
    truth = (255 * whole).numpy()
    lost = abs(pictures[1] - truth).mean()
    assert abs(pictures[0] - truth).mean() < 1.2 * lost


@pytest.mark.parametrize("way", ["not kept", "in memory", "streamed"])
def test_the_timeline_has_a_picture_of_each_seam(tiny, image, conditioning, output, monkeypatch, way):
    import folder_paths
    from wan_motion_chunks.nodes.thumbnails import GAP

    monkeypatch.setattr(folder_paths, "temp_directory", str(output.parent / "temp"))
    (output.parent / "temp").mkdir()
    run = None if way == "not kept" else keep(frames_in_memory=way == "in memory")
    values = {"width": 48, "height": 32, "length": float(TOTAL), "run": run}
    made = execute(tiny, image, *conditioning, "euler", "simple", **values)
    frames = made.args[3].get_components().images
    first, *chunks = made.ui["wan_motion_timeline"][0]["chunks"]
    assert first["picture"] is None
    assert [chunk["seam"] for chunk in chunks] == [17, 25, 33]
    for chunk in chunks:
        around = frames[chunk["seam"] - 2 : chunk["seam"] + 2]
        blank = torch.ones(32, GAP, 3)
        expected = torch.cat((*around[:2], blank, *around[2:]), dim=1)
        assert chunk["picture"]["type"] == "temp"
        shown = Image.open(output.parent / "temp" / chunk["picture"]["filename"]).convert("RGB")
        assert torch.equal(torch.from_numpy(numpy.array(shown)), (255 * expected.clamp(0, 1)).to(torch.uint8))


def test_a_kept_run_is_written_to_memory_too(make, output, tmp_path):
    import io

    _, _, _, video = make(run=keep(frames_in_memory=False))
    for source in (video.get_stream_source(), io.BytesIO()):
        if not source.getvalue():
            video.save_to(source, "mp4", "h264")
            source.seek(0)
        with av.open(source) as container:
            assert sum(1 for _ in container.decode(video=0)) == TOTAL


def test_the_host_encodes_a_kept_run_frame_by_frame(make, output, tmp_path, monkeypatch):
    from wan_motion_chunks.nodes.stored_video import StoredFrames

    _, _, _, video = make(run=keep(frames_in_memory=False))
    monkeypatch.setattr(StoredFrames, "whole", lambda self: pytest.fail("all frames were gathered"))
    video.save_to(str(tmp_path / "a.mp4"))
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == TOTAL


def test_frames_of_a_kept_run_are_an_image_for_whoever_looks_closer(make, output):
    from wan_motion_chunks.nodes.stored_video import StoredFrames
    from wan_motion_chunks.wan.runs.load import load_run

    whole, _, _, _ = make(run=keep())
    frames = StoredFrames(load_run(output, "run"))
    assert (frames.shape, frames.ndim, frames.dtype, frames.device) == (whole.shape, 4, whole.dtype, whole.device)
    assert torch.equal(frames[3:5], whole[3:5])
    assert torch.equal(frames.mean(dim=0), whole.mean(dim=0))


def test_frames_without_a_run_are_the_same_as_its_video(make):
    frames, _, _, video = make()
    assert torch.equal(video.get_components().images, frames)


def test_custom_sampling_is_kept_too(tiny, image, conditioning, output, made, comfy):
    import comfy.samplers

    sampler = comfy.samplers.sampler_object("euler")
    sigmas = comfy.samplers.KSampler(tiny[0], 4, "cpu", "euler", "simple").sigmas
    for change, expected in ((1.0, (2, 0)), (1.0, (0, 2)), (2.0, (2, 0))):
        guider = guiders(tiny[0], conditioning)["cfg"]
        guider.set_cfg(change)
        custom_video(tiny, image, guider, sampler, sigmas, length=25.0, run=keep())
        assert made() == expected


def test_auto_resumes_with_the_overlaps_that_it_chose(make, output, made):
    from wan_motion_chunks.wan.settings import choose_settings

    auto = choose_settings("Auto", own={"motion_weight": 0.3})
    values = {"settings": auto, "chunk_frames": 33, "length": 90.0}
    whole, _, _, _ = make(run=keep(run_name="whole"), **values)
    make(run=keep(), **values | {"length": 60.0})
    frames, _, _, _ = make(run=keep(), **values)
    assert torch.equal(frames, whole)
    assert made()[1] >= 1


def test_a_decoder_that_runs_out_of_memory_is_tiled_once(make, tiny, monkeypatch, caplog):
    import comfy.model_management

    vae, tried = tiny[2], []
    real = type(vae.first_stage_model).decode

    def decode(self, latent, *arguments, **more):
        tried.append(latent.shape)
        if len(tried) == 1:
            raise comfy.model_management.OOM_EXCEPTION("out of memory")
        return real(self, latent, *arguments, **more)

    monkeypatch.setattr(type(vae.first_stage_model), "decode", decode)
    frames, _, _, _ = make(length=17.0)
    assert frames.shape == (17, 32, 48, 3)
    assert any("tiled" in record.message for record in caplog.records if record.levelname == "WARNING")


def test_reports_and_errors_name_no_place_outside_the_output_folder(make, output, caplog):
    from wan_motion_chunks.nodes import LoadRun

    caplog.set_level("INFO", logger="wan_motion_chunks")
    texts = [make(length=25.0, run=keep())[2], make(length=25.0, run=keep())[2], LoadRun.execute("run", 16.0).args[2]]
    assert [int(word) for word in re.findall("[0-9]+", read_report(texts[1]).summary)][:2] == [2, 2]
    for path in (output / "run").glob("chunk_*"):
        path.write_bytes(b"x" * 99)
    with pytest.raises(ValueError, match=r"^run_name: .* wan_motion_runs/run\. chunk_0001_\S+ ") as caught:
        LoadRun.execute("run", 16.0)
    texts += [make(length=25.0, run=keep())[2], str(caught.value), caplog.text]
    for number in (1, 2):
        assert texts[3].count(f"chunk_000{number}_take_01_") == 1
    assert not [text for text in texts if str(output.parent) in text]
