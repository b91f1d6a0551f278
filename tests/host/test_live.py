"""What a timeline is told of each chunk."""

import numpy
import pytest
import torch
from wan_motion_chunks.tests.host.video import execute, keep

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
            assert (chunk["take"], chunk["takes"], chunk["origin"], chunk["pinned"]) == (1, [1], "made", False)
            assert all(path.is_file() for path in places(output, chunk))
            assert chunk["film"]["type"] == ("output" if kept else "temp")
    assert after["run"] == (keep().name if kept else None)
    assert after["made"] == 3


def test_a_chunk_is_made_kept_or_chosen_and_pinned_where_its_widgets_would_not_find_it(make):
    make(run=keep())
    _, varied = make(run=keep(vary_from=2, variation=1))
    assert [(chunk["origin"], chunk["take"], chunk["pinned"]) for chunk in varied["chunks"]] == [
        ("kept", 1, False),
        ("made", 2, True),
        ("made", 2, True),
    ]
    _, chosen = make(run=keep(use_takes="2: 2"))
    assert [(chunk["origin"], chunk["takes"], chunk["pinned"]) for chunk in chosen["chunks"]] == [
        ("kept", [1], False),
        ("chosen", [1, 2], True),
        ("kept", [1, 2], True),
    ]
    _, stopped = make(length=float(TOTAL + 16), run=keep(stop_after=1))
    assert stopped["made"] == 4
    assert "take" not in stopped["chunks"][4]


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
