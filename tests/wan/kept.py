"""Kept videos of exact stand-ins."""

from dataclasses import replace

import torch
from wan_motion_chunks.tests.fakes import CausalVae, CountingModel, numbered_frames
from wan_motion_chunks.wan import ChunkState, GuideSettings, Tools, generate, plan_chunks
from wan_motion_chunks.wan.runs.finder import Options
from wan_motion_chunks.wan.runs.fingerprint import fingerprint_chunk
from wan_motion_chunks.wan.runs.store import open_run
from wan_motion_chunks.wan.state import ATTEMPTS

TOTAL = 17 + 5 * 8
LONG = 41 + 3 * 32
"""Of chunks that are long enough for one to be made again between its neighbors."""


class Stop(BaseException):
    """The host's interrupt."""


def start(total=TOTAL, **more):
    plan = plan_chunks(total, chunk_frames=17, overlap_frames=9, keyframes=more.pop("keyframes", ()))
    return ChunkState(plan, numbered_frames(more.pop("first", 0), 1), GuideSettings("overlap"), **more)


def run(folder, state=None, *, interrupt_after=None, stop_after=None, name="run", fingerprint=None, **options):
    """Make a kept video; returns its frames, the indices of the chunks that were sampled, and the store."""
    vae, made = CausalVae(), []
    model = CountingModel(vae)

    def sample(guide):
        if len(made) == interrupt_after:
            raise Stop
        made.append(guide.request.index)
        return model(guide)

    with open_run(folder, name, fingerprint or fingerprint_chunk, Options(**options)) as store:
        final = generate(state or start(), Tools(vae, sample), store, stop_after=stop_after)
        return torch.cat(list(store.footage())), made, store, final


def files(folder, name="run"):
    """The chunk files, in the order of the chunks and their takes."""
    return sorted((folder / name).glob("chunk_*.safetensors"))


def file_of(folder, chunk, take=1, name="run"):
    """The file of a take of a chunk, counted from 1."""
    (path,) = (folder / name).glob(f"chunk_{chunk:04d}_take_{take:02d}_*.safetensors")
    return path


class Varied:
    """A model that draws another picture for each attempt: its frames fall off from the true ones behind the known, and
    what is held comes out as it went in."""

    def __init__(self):
        self.made = []

    def __call__(self, guide):
        self.made.append(guide.request.index)
        counted = CountingModel(CausalVae())
        known = guide.conditioning["concat_mask"][0, :, :, 0, 0].t().flatten()
        assert guide.request.kept_end is None or not known[-4 * guide.request.kept_end.latents.shape[2] :].any()
        latent = counted(_without_end(guide)).clone()
        frames = CausalVae().decode(latent)[0].clone()
        middle = 4 * (latent.shape[2] // 2)
        frames[middle - 3 : middle + 1, ..., 2] += guide.attempt // ATTEMPTS / 256
        latent = CausalVae().encode(frames)
        if guide.noise_mask is not None:
            latent = torch.where(guide.noise_mask == 0, guide.samples, latent)
        return latent


def _without_end(guide):
    """The guide as the counting model knows it: nothing is known but its head."""
    end = guide.request.kept_end
    if end is None:
        return guide
    count = end.latents.shape[2]
    image, mask = (guide.conditioning[name].clone() for name in ("concat_latent_image", "concat_mask"))
    image[:, :, -count:] = CausalVae().encode(torch.full((81, 16, 32, 3), 0.5))[:, :, -1:]
    mask[:, :, -count:] = 1.0
    return replace(guide, conditioning={"concat_latent_image": image, "concat_mask": mask})


def long(**more):
    plan = plan_chunks(LONG, chunk_frames=41, overlap_frames=9)
    return ChunkState(plan, numbered_frames(more.pop("first", 0), 1), GuideSettings("overlap_pinned"), **more)


def make_long(folder, state, stop_after=None, **options):
    """As :func:`run`, by a model that varies."""
    model = Varied()
    with open_run(folder, "run", fingerprint_chunk, Options(**options)) as store:
        final = generate(state, Tools(CausalVae(), model), store, stop_after=stop_after)
        return torch.cat(list(store.footage())), model.made, store, final
