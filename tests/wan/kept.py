"""Kept videos of exact stand-ins."""

import torch
from wan_motion_chunks.tests.fakes import CausalVae, CountingModel, numbered_frames
from wan_motion_chunks.wan import ChunkState, GuideSettings, Tools, generate, plan_chunks
from wan_motion_chunks.wan.runs.finder import Options
from wan_motion_chunks.wan.runs.fingerprint import fingerprint_chunk
from wan_motion_chunks.wan.runs.store import open_run

TOTAL = 17 + 5 * 8


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
