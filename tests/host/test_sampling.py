"""The host's sampler as the loop drives it: progress over all chunks, previews, interrupts."""

import pytest
import torch
from wan_motion_chunks.wan import ChunkState, Tools, generate, plan_chunks

STEPS, CHUNKS = 3, 4


@pytest.fixture
def run(tiny, comfy, monkeypatch):
    """Make four chunks; returns the video and what the progress bar was told."""
    import comfy.utils
    from comfy.cli_args import LatentPreviewMethod, args
    from wan_motion_chunks.tests.host.samplers import ksampler

    monkeypatch.setattr(args, "preview_method", LatentPreviewMethod.Latent2RGB)
    model, clip, vae = tiny
    conditioning = clip.encode_from_tokens_scheduled(clip.tokenize("a red ball"))

    def make(hook=lambda *_: None, sampler_name="euler"):
        told = []

        def record(value, total, preview, node_id=None):
            told.append((value, total, preview))
            hook(value)

        monkeypatch.setattr(comfy.utils, "PROGRESS_BAR_HOOK", record)
        sampler = ksampler(model, conditioning, steps=STEPS, sampler_name=sampler_name)
        plan = plan_chunks(17 + 3 * 8, chunk_frames=17, overlap_frames=9)
        start = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(2))
        state = generate(ChunkState(plan, start), Tools(vae, sampler))
        return state.video, told

    return make


@pytest.mark.parametrize("sampler_name", ["euler", "heun", "dpm_adaptive"])
def test_one_progress_bar_runs_over_all_chunks(run, sampler_name):
    _, told = run(sampler_name=sampler_name)
    values = [value for value, _, _ in told]
    assert values == sorted(values)
    assert {total for _, total, _ in told} == {10_000}
    assert values[-1] == 10_000


def test_every_step_has_a_preview(run):
    _, told = run()
    assert len(told) == STEPS * CHUNKS
    for _, _, (kind, image, _) in told:
        assert kind == "JPEG"
        assert image.size[0] > 0


def test_an_interrupt_inside_a_chunk_gets_through(run, comfy):
    import comfy.model_management

    def stop(value):
        if value > 10_000 * (17 / 41 + 0.01):
            raise comfy.model_management.InterruptProcessingException

    with pytest.raises(comfy.model_management.InterruptProcessingException):
        run(hook=stop)


def test_a_seed_makes_the_same_video_again(run):
    assert torch.equal(run()[0], run()[0])
