"""Kept videos of exact stand-ins."""

import torch
from wan_motion_chunks.tests.fakes import CausalVae, CountingModel, numbered_frames
from wan_motion_chunks.wan import ChunkState, GuideSettings, Tools, generate, plan_chunks
from wan_motion_chunks.wan.runs.fingerprint import fingerprint_chunk
from wan_motion_chunks.wan.runs.store import open_run

TOTAL = 17 + 5 * 8


class Stop(BaseException):
    """The host's interrupt."""


def start(total=TOTAL, **more):
    plan = plan_chunks(total, chunk_frames=17, overlap_frames=9, keyframes=more.pop("keyframes", ()))
    return ChunkState(plan, numbered_frames(more.pop("first", 0), 1), GuideSettings("overlap"), **more)


def run(folder, state=None, stop_after=None, name="run", **more):
    """Make a kept video; returns its frames, the indices of the chunks that were sampled, and the store."""
    vae, made = CausalVae(), []
    model = CountingModel(vae)

    def sample(guide):
        if len(made) == stop_after:
            raise Stop
        made.append(guide.request.index)
        return model(guide)

    with open_run(folder, name, fingerprint_chunk, **more) as store:
        final = generate(state or start(), Tools(vae, sample), store)
        return torch.cat(list(store.footage())), made, store, final


def files(folder, name="run"):
    return sorted((folder / name).glob("chunk_*.safetensors"))
