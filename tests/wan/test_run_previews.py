"""Films and stills beside kept chunks."""

import av
import numpy
import pytest
import torch
from PIL import Image
from wan_motion_chunks.tests.fakes import CausalVae, CountingModel
from wan_motion_chunks.tests.wan.kept import file_of, files, run, start
from wan_motion_chunks.wan import Tools, generate
from wan_motion_chunks.wan.runs.fingerprint import fingerprint_chunk
from wan_motion_chunks.wan.runs.preview import has_preview, preview_names, remove_preview, write_preview
from wan_motion_chunks.wan.runs.store import open_run

NAME = "chunk_0001_take_01_0123456789abcdef.safetensors"


def frames(count, height, width):
    """Gray frames that become brighter."""
    return torch.linspace(0.2, 0.8, count).view(-1, 1, 1, 1).expand(-1, 3, height, width)


@pytest.mark.parametrize(
    ("size", "fps", "film", "still"),
    [
        ((480, 832), 16.0, (240, 416), (64, 111)),
        ((64, 64), 23.976, (64, 64), (64, 64)),
        ((7, 9), 0.01, (6, 8), (7, 9)),
    ],
)
def test_a_film_has_each_frame_and_a_still_is_from_the_middle(tmp_path, size, fps, film, still):
    path = tmp_path / NAME
    assert not has_preview(path)
    write_preview(path, frames(9, *size), fps)
    assert has_preview(path)
    names = preview_names(NAME)
    with av.open(str(tmp_path / names["film"])) as container:
        (stream,) = container.streams
        assert float(stream.average_rate) == pytest.approx(fps, abs=1e-3)
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert [frame.shape[:2] for frame in shown] == [film] * 9
    expected = 255 * numpy.linspace(0.2, 0.8, 9)
    assert numpy.abs(numpy.array([frame.mean() for frame in shown]) - expected).max() < 4
    picture = numpy.array(Image.open(tmp_path / names["still"]))
    assert picture.shape[:2] == still
    assert picture.mean() == pytest.approx(127.5, abs=2)
    remove_preview(path)
    assert list(tmp_path.iterdir()) == []


def test_a_preview_that_the_disk_does_not_take_is_an_error_of_the_disk(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_preview(tmp_path / "none" / NAME, frames(2, 16, 16), 16.0)
    (tmp_path / preview_names(NAME)["film"]).mkdir()
    with pytest.raises((IsADirectoryError, PermissionError)):
        write_preview(tmp_path / NAME, frames(2, 16, 16), 16.0)
    assert len(list(tmp_path.iterdir())) == 1
    remove_preview(tmp_path / NAME)  # and is none to take it away either


def previews(folder):
    return sorted(path.name for path in (folder / "run").iterdir() if path.suffix in (".mp4", ".jpg"))


def test_each_kept_chunk_has_a_preview_and_one_that_is_missing_is_written_when_the_chunk_is_taken(tmp_path):
    plain, _, _, _ = run(tmp_path, name="plain")
    video, _, store, _ = run(tmp_path, previews=True)
    assert torch.equal(video, plain)
    expected = sorted(name for path in files(tmp_path) for name in preview_names(path.name).values())
    assert previews(tmp_path) == expected
    assert len(expected) == 12
    for name in expected[:3]:
        (tmp_path / "run" / name).unlink()
    _, made, store, _ = run(tmp_path, previews=True)
    assert made == []
    assert all(kept.seen and kept.taken for kept in store.kept)
    assert previews(tmp_path) == expected
    assert list((tmp_path / "plain").glob("*.mp4")) == []


def test_a_preview_that_cannot_be_written_costs_only_itself(tmp_path, caplog):
    plain, _, _, _ = run(tmp_path, name="plain")
    name = preview_names(file_of(tmp_path, 2, name="plain").name)["film"]
    (tmp_path / "run" / name).mkdir(parents=True)
    video, made, store, _ = run(tmp_path, previews=True)
    assert torch.equal(video, plain)
    assert made == [0, 1, 2, 3, 4, 5]
    assert [kept.seen for kept in store.kept] == [True, False, True, True, True, True]
    assert store.notes == []
    assert len(caplog.records) == 1


def test_a_take_that_is_deleted_takes_its_preview_with_it(tmp_path):
    run(tmp_path, start(first=3), previews=True)
    _, _, store, _ = run(tmp_path, previews=True)
    store.drop_unused(1)
    assert len(files(tmp_path)) == 6
    assert previews(tmp_path) == sorted(name for path in files(tmp_path) for name in preview_names(path.name).values())


def test_the_loop_tells_how_far_it_is_before_each_chunk_and_behind_each_taken_one(tmp_path):
    run(tmp_path, stop_after=2)
    told = []
    with open_run(tmp_path, "run", fingerprint_chunk) as store:
        tools = Tools(
            CausalVae(), CountingModel(CausalVae()), watch=lambda state, left: told.append((state.made, left))
        )
        generate(start(), tools, store)
    assert [made for made, _ in told] == [1, 2, 2, 3, 4, 5]
    assert [left is None for _, left in told] == [True, True, True, False, False, False]
    assert all(left > 0 for _, left in told if left is not None)
