"""One chunk of ours against the stock graph: WanImageToVideo -> KSampler -> VAEDecode."""

import pytest
import torch
from wan_motion_chunks.tests.host.video import long_video
from wan_motion_chunks.tests.reports import read_report


@pytest.fixture(scope="module")
def stock(tiny):
    """The stock graph's picture of one chunk, and its inputs."""
    from comfy_extras.nodes_wan import WanImageToVideo

    import nodes

    model, clip, vae = tiny
    image = torch.rand(9, 80, 96, 3, generator=torch.Generator().manual_seed(1))
    positive, negative = (clip.encode_from_tokens_scheduled(clip.tokenize(text)) for text in ("a red ball", ""))
    conditioned = WanImageToVideo.execute(positive, negative, vae, 64, 48, 17, 1, start_image=image[:1]).args

    def run(sampler_name, scheduler, known=1):
        graph = WanImageToVideo.execute(positive, negative, vae, 64, 48, 17, 1, start_image=image[:known]).args
        latent = nodes.common_ksampler(model, 7, 4, 2.5, sampler_name, scheduler, *graph)[0]["samples"]
        return latent, vae.decode(latent)[0]

    assert conditioned[2]["samples"].shape == (1, 16, 5, 6, 8)
    return image, positive, negative, run


@pytest.mark.parametrize(
    ("sampler_name", "scheduler"),
    [
        ("euler", "simple"),
        ("uni_pc", "normal"),
        ("dpmpp_2m_sde", "beta"),
        ("euler_ancestral", "simple"),
        ("lcm", "simple"),
    ],
)
def test_one_chunk_equals_the_stock_graph_bit_for_bit(stock, tiny, sampler_name, scheduler):
    image, positive, negative, run = stock
    latent, frames = run(sampler_name, scheduler)
    ours, our_latent, _, _ = long_video(tiny, image[:1], positive, negative, sampler_name, scheduler)
    assert torch.equal(our_latent["samples"], latent)
    assert torch.equal(ours, frames)


def test_a_start_of_several_frames_equals_the_stock_graph_bit_for_bit(stock, tiny):
    image, positive, negative, run = stock
    latent, _ = run("euler", "simple", known=9)
    _, our_latent, _, _ = long_video(tiny, image, positive, negative, "euler", "simple")
    assert torch.equal(our_latent["samples"], latent)


def test_a_longer_video_keeps_its_first_chunk_bit_for_bit_up_to_the_overlap(stock, tiny, finished):
    image, positive, negative, run = stock
    _, frames = run("euler", "simple")
    ours, _, _, _ = long_video(tiny, image[:1], positive, negative, "euler", "simple", length=30.0)
    assert ours.shape == (30, 48, 64, 3)
    assert torch.equal(ours[:8], frames[:8])  # a join may change the overlap
    records = finished[-1][0].records
    assert [record.added for record in records] == [17, 8, 5]
    assert records[2].continuity.level == "motion"


def test_pinned_latents_come_out_as_they_went_in(stock, tiny):
    from wan_motion_chunks.tests.host.samplers import ksampler
    from wan_motion_chunks.wan import ChunkState, GuideSettings, finish_chunk, guide_state, plan_chunks

    model, _, vae = tiny
    image, positive, negative, _ = stock
    sampler = ksampler(model, (positive, negative), 7, cfg=2.5)
    start = image[:1, :48, :64].movedim(-1, 1)
    plan = plan_chunks(25, chunk_frames=17, overlap_frames=9)
    state = ChunkState(plan, start, GuideSettings(continuity="overlap_pinned"))
    for _ in range(2):
        state = guide_state(state, vae)
        guide = state.guide
        state = finish_chunk(state, sampler(guide), vae)
    # The host takes the latent into the model's space and back, in float32.
    torch.testing.assert_close(state.latent[:, :, :3], guide.samples[:, :, :3], rtol=1e-5, atol=1e-5)


def test_the_split_nodes_equal_the_long_video_bit_for_bit(stock, tiny):
    from wan_motion_chunks.nodes import AssembleVideo, FinishChunk, GuideNextChunk, PlanVideo, Settings

    import nodes

    model, _, vae = tiny
    image, positive, negative, _ = stock
    whole, _, report, _ = long_video(tiny, image[:1], positive, negative, "euler", "simple", length=30.0)
    settings = Settings.execute("Standard", 8, -1.0, -1.0, 1.0, -1.0, "auto", "affine", 0.0, 0, 1.0, 1.0).args[0]
    state, chunks, _ = PlanVideo.execute(64, 48, 30.0, "frames", 16.0, 17, image[:1], settings=settings).args
    for index in range(chunks):
        state, *graph, patched = GuideNextChunk.execute(state, vae, positive, negative, model=model).args
        latent = nodes.common_ksampler(patched, 7 + index, 4, 2.5, "euler", "simple", *graph)[0]
        state, added, _ = FinishChunk.execute(state, latent, vae).args
        assert len(added) == (17, 8, 5)[index]
    frames, split_report = AssembleVideo.execute(state).args
    assert torch.equal(frames, whole)
    ours, split = read_report(report), read_report(split_report)
    assert (split.warnings, split.rows) == (ours.warnings, ours.rows)
    # Without what the sampler's node says, and what is kept and how much memory it took.
    assert split.details == [detail for detail in ours.details[:-2] if not detail.startswith("noise ")]


def test_conditioning_is_left_as_it_was(stock, tiny):
    image, positive, negative, _ = stock
    before = [dict(positive[0][1]), positive[0][0].clone()]
    long_video(tiny, image[:1], positive, negative, "euler", "simple", length=30.0)
    assert positive[0][1].keys() == before[0].keys()
    assert torch.equal(positive[0][0], before[1])
