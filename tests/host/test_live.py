"""What a timeline is told of each chunk."""

import numpy
import pytest
import torch
from wan_motion_chunks.tests.host.video import SEED, execute, keep

TOTAL = 17 + 2 * 8


@pytest.fixture
def make(tiny, conditioning, output, monkeypatch):
    import folder_paths

    monkeypatch.setattr(folder_paths, "temp_directory", str(output.parent / "temp"))
    (output.parent / "temp").mkdir()
    image = torch.rand(1, 40, 56, 3, generator=torch.Generator().manual_seed(1))

    def run(**changed):
        from wan_motion_chunks.nodes import timeline

        values = {"width": 48, "height": 32, "length": float(TOTAL)} | changed
        shown = []
        monkeypatch.setattr(timeline.Timeline, "send", lambda self, state, left: shown.append(self.describe(state)))
        made = execute(tiny, image, *conditioning, "euler", "simple", **values)
        return shown, made.ui["wan_motion_timeline"][0]

    return run


def places(output, chunk):
    """The files that the front end asks for, as they lie on disk."""
    roots = {"output": output.parent, "temp": output.parent / "temp"}
    return [
        roots[chunk[kind]["type"]] / chunk[kind]["subfolder"] / chunk[kind]["filename"] for kind in ("film", "still")
    ]


@pytest.mark.parametrize("kept", [True, False])
def test_each_finished_chunk_has_its_take_and_files_that_are_there(make, output, kept):
    live, after = make(run=keep() if kept else None)
    assert [shown["made"] for shown in live] == [0, 1, 2]
    for shown in (*live, after):
        finished = [chunk for chunk in shown["chunks"] if "take" in chunk]
        assert len(finished) == shown["made"]
        for chunk in finished:
            seam = {"seed": str(SEED + chunk["index"]), "variation": 0, "grade": chunk["grade"]}
            seam |= {kind: chunk[kind] for kind in ("film", "still")}
            assert (chunk["take"], chunk["takes"], chunk["origin"]) == (1, [{"number": 1} | seam], "made")
            assert all(path.is_file() for path in places(output, chunk))
            assert chunk["film"]["type"] == ("output" if kept else "temp")
    assert after["run"] == (keep().name if kept else None)
    assert after["made"] == 3


def test_a_chunk_is_made_kept_or_chosen_and_pinned_where_its_widgets_would_not_find_it(make):
    def told(shown):
        return [(chunk["origin"], chunk["take"], len(chunk["takes"])) for chunk in shown["chunks"]], shown["pinned"]

    make(run=keep())
    _, varied = make(run=keep(vary_from=2, variation=1))
    assert told(varied) == ([("kept", 1, 1), ("made", 2, 2), ("made", 2, 2)], [[2, 2], [3, 2]])
    _, chosen = make(run=keep(use_takes="2: 2"))
    assert told(chosen) == ([("kept", 1, 1), ("chosen", 2, 2), ("kept", 2, 2)], [[2, 2], [3, 2]])
    takes = chosen["chunks"][1]["takes"]
    assert [(take["number"], take["seed"], take["variation"]) for take in takes] == [
        (1, str(SEED + 1), 0),
        (2, str(SEED + 1), 1),
    ]
    assert takes[1]["grade"] == varied["chunks"][1]["grade"]
    assert [take["film"]["filename"][:18] for take in takes] == ["chunk_0002_take_01", "chunk_0002_take_02"]
    _, stopped = make(length=float(TOTAL + 16), run=keep(stop_after=1))
    assert stopped["made"] == 4
    assert "take" not in stopped["chunks"][4]


def test_of_a_take_that_is_damaged_the_number_is_told(make, output):
    make(run=keep())
    make(run=keep(vary_from=2, variation=1))
    (path,) = (output / keep().name).glob("chunk_0002_take_02_*.safetensors")
    path.write_bytes(path.read_bytes()[:100])
    _, shown = make(run=keep())
    first, second = shown["chunks"][1]["takes"]
    assert first["seed"] == str(SEED + 1)
    assert second == {"number": 2}


def test_the_last_preview_is_a_frame_of_the_video_and_not_of_its_latents(make, finished, monkeypatch):
    import comfy.utils
    import latent_preview
    from comfy.cli_args import LatentPreviewMethod

    shown = []
    comfy.utils.set_progress_bar_global_hook(lambda value, total, preview, **more: shown.append(preview))
    try:
        monkeypatch.setattr(latent_preview.args, "preview_method", LatentPreviewMethod.Latent2RGB)
        make(run=keep())
        last = finished[-1][0].pieces[-1][-1].movedim(0, -1)
        kind, picture, _ = shown[-1]
        assert kind == "JPEG"
        assert torch.equal(torch.from_numpy(numpy.array(picture)), (last.clamp(0, 1) * 255).round().byte())
        assert len([each for each in shown if each is not None]) > 3
        shown.clear()
        make(run=keep())
        assert shown == []  # nothing was sampled
        monkeypatch.setattr(latent_preview.args, "preview_method", LatentPreviewMethod.NoPreviews)
        make(run=keep(), seed=8)
        assert {each is None for each in shown} == {True}
    finally:
        comfy.utils.set_progress_bar_global_hook(None)
