"""CLIP vision features over a long video, by the host's own encoder with random weights."""

import json
from dataclasses import replace

import pytest
import torch
from wan_motion_chunks.tests.host.video import long_video
from wan_motion_chunks.tests.reports import read_report

CONFIG = {
    "hidden_act": "gelu",
    "hidden_size": 1280,
    "image_size": 28,
    "intermediate_size": 64,
    "model_type": "clip_vision_model",
    "num_attention_heads": 16,
    "num_channels": 3,
    "num_hidden_layers": 2,
    "patch_size": 14,
    "projection_dim": 16,
}


@pytest.fixture(scope="module")
def encoder(comfy, tmp_path_factory):
    import comfy.clip_vision

    path = tmp_path_factory.mktemp("clip") / "config.json"
    path.write_text(json.dumps(CONFIG), encoding="utf-8")
    model = comfy.clip_vision.ClipVisionModel(str(path))
    generator = torch.Generator().manual_seed(0)
    for parameter in model.model.parameters():
        parameter.data = 0.1 * torch.randn(parameter.shape, generator=generator).to(parameter)
    return model


@pytest.fixture
def conditioning(tiny):
    clip = tiny[1]
    return clip.encode_from_tokens_scheduled(clip.tokenize("a red ball moves right"))


def test_features_pass_from_the_start_image_to_the_last_known_frame_by_time(encoder):
    from wan_motion_chunks.wan import ChunkRequest
    from wan_motion_chunks.wan.host.features import FeatureTrack

    frames = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    first, last = (encoder.encode_image(frame[None].movedim(1, -1), crop=False) for frame in frames)
    kept = first.penultimate_hidden_states.clone()
    for time in (0.0, 0.4):
        request = ChunkRequest(1, 17, frames, (64, 64), continues=True, time=time)
        found = FeatureTrack(frames[:1], first, encoder, 0.5)(request)
        expected = torch.lerp(kept, last.penultimate_hidden_states, 0.5 * time)
        torch.testing.assert_close(found.penultimate_hidden_states, expected)
    assert torch.equal(first.penultimate_hidden_states, kept)


class Watched:
    """The encoder, and the pictures that it was shown."""

    def __init__(self, encoder):
        self.encoder, self.model, self.shown = encoder, encoder.model, []

    def encode_image(self, image, crop=True):
        self.shown.append(image)
        return self.encoder.encode_image(image, crop=crop)


def test_later_chunks_look_at_the_frame_that_they_go_on_from(tiny, encoder, conditioning):
    from wan_motion_chunks.wan.settings import choose_settings

    # The tiny model does not heed these features, so that the encoder tells what it was asked for.
    image = torch.rand(1, 48, 64, 3, generator=torch.Generator().manual_seed(2))
    for strength, asked in ((0.0, 1), (1.0, 2)):
        watched = Watched(encoder)
        video, _, _, _ = long_video(
            tiny,
            image,
            conditioning,
            conditioning,
            "euler",
            "simple",
            length=25.0,
            clip_vision=watched,
            feature_continuity=strength,
            settings=choose_settings(own={"overlap_frames": 8, "blend_strength": 1.0}),
        )
        assert len(watched.shown) == asked
        assert watched.shown[0].shape == (1, 48, 64, 3)
        if strength:
            torch.testing.assert_close(watched.shown[1][0], video[16])


def of_host(encoder, image):
    """The host's features of a picture as the official workflows have them."""
    import nodes

    return nodes.CLIPVisionEncode().encode(encoder, image, "none")[0].penultimate_hidden_states


class Kept:
    """Stands for a sampler: keeps the features that each chunk is told, and makes nothing."""

    def __init__(self, features):
        self.features, self.found = features, []

    def __call__(self, guide):
        self.found.append(self.features(guide.request).penultimate_hidden_states)
        return guide.samples


def features_of(state, model, clip, encoder, strength=0.0):
    """The features of a planned video, as the nodes read them."""
    from wan_motion_chunks.nodes.prompt_inputs import read_inputs

    return read_inputs(state, model, clip, encoder, None, strength).features


@pytest.fixture
def tell(tiny, encoder):
    """What each chunk of a planned video is told by CLIP vision, for a model."""
    from wan_motion_chunks.wan.loop import Tools, generate

    def run(state, model=tiny[0], strength=0.0):
        sampler = Kept(features_of(state, model, tiny[1], encoder, strength))
        return generate(state, Tools(tiny[2], sampler)), sampler.found

    return run


@pytest.fixture
def pictures():
    """A start image, one behind a cut and two to end with, all of proportions of their own."""
    generator = torch.Generator().manual_seed(3)
    return [torch.rand(1, *size, 3, generator=generator) for size in ((40, 100), (90, 33), (64, 64), (70, 200))]


def plan(start, end=None, stack=None, length=33.0):
    from wan_motion_chunks.nodes import PlanVideo
    from wan_motion_chunks.wan.settings import choose_settings

    settings = choose_settings(own={"overlap_frames": 8}, continuity="overlap")
    return PlanVideo.execute(
        64, 48, length, "frames", 16.0, 17, start, end, settings=settings, prompt_stack=stack
    ).args[0]


def test_pictures_are_seen_whole_as_by_the_hosts_node(tell, encoder, pictures, flf):
    from wan_motion_chunks.wan import Keyframe

    start, behind, first_end, last_end = pictures
    stack = [Keyframe("a", "", end_image=first_end), Keyframe("b", "", 1, start_image=behind)]
    _, features = tell(plan(start, last_end, stack), flf)
    whole = [of_host(encoder, picture) for picture in pictures]
    assert len(features) == 2
    assert torch.equal(features[0], torch.cat((whole[0], whole[2]), dim=-2))
    assert torch.equal(features[1], torch.cat((whole[1], whole[3]), dim=-2))


def test_the_last_known_frame_is_the_videos_own(tell, encoder, pictures):
    state, features = tell(plan(pictures[0], length=25.0), strength=1.0)
    last = state.video[16:17].movedim(1, -1)
    share = state.plan.chunks[1].start / 25
    expected = of_host(encoder, pictures[0]).lerp(of_host(encoder, last), share)
    torch.testing.assert_close(features[1], expected)


@pytest.fixture(scope="module")
def flf(comfy):
    """The tiny model with a place for a second picture, as Wan2.1 FLF2V has it."""
    return tiny_model(comfy, {"img_emb.emb_pos": torch.zeros(1, 514, 1280)})


@pytest.fixture(scope="module")
def reads(comfy):
    """The tiny model as one that was trained with features: the bundled one has zeros where it would read them."""
    return tiny_model(comfy, {"blocks.4.cross_attn.v_img.weight": 0.1 * torch.eye(256)})


def tiny_model(comfy, changes):
    import comfy.utils
    from wan_motion_chunks.tiny import TRANSFORMER

    weights = comfy.utils.load_torch_file(str(TRANSFORMER))
    prefix = next(name.removesuffix("img_emb.proj.0.bias") for name in weights if name.endswith("img_emb.proj.0.bias"))
    return comfy.sd.load_diffusion_model_state_dict(weights | {prefix + name: value for name, value in changes.items()})


def test_the_end_is_told_to_a_model_that_has_a_place_for_it_alone(tell, encoder, pictures, tiny):
    """WanFunInpaintToVideo, the host's node for such models, tells the start image's features only."""
    _, features = tell(plan(pictures[0], pictures[3], length=17.0))
    assert torch.equal(features[0], of_host(encoder, pictures[0]))


def test_what_a_chunk_is_told_differs_with_what_the_video_crops_away(encoder, pictures, tiny, flf):
    from wan_motion_chunks.wan import Keyframe

    def fingerprint(model, start, behind, end):
        state = plan(start, end, [Keyframe("a", ""), Keyframe("b", "", 1, start_image=behind)])
        track = features_of(state, model, tiny[1], encoder)
        chunks = [track.fingerprint(state)]
        state = replace(state, pieces=(torch.zeros(17, 3, 48, 64),))
        return [*chunks, track.fingerprint(state)]

    start, behind, _, end = pictures
    plain = fingerprint(flf, start, behind, end)
    for place, index in ((0, 0), (1, 1), (2, 1)):
        changed = [start, behind, end]
        changed[place] = changed[place].clone()
        changed[place][:, 0] = changed[place][:, :, 0] = 0.5  # an edge that the crop to 64 x 48 leaves out
        other = fingerprint(flf, *changed)
        assert other[index] != plain[index]
        assert place == 0 or other[0] == plain[0]
    assert fingerprint(tiny[0], start, behind, end)[1] == fingerprint(tiny[0], start, behind, pictures[2])[1]


def warnings(model, state, **more):
    from wan_motion_chunks.nodes.prompt_inputs import find_warnings

    given = (more.pop(name, None) for name in ("output", "encoder", "conditions"))
    return find_warnings(state, model, *given, **more)


def test_a_model_that_reads_features_and_gets_none_is_warned_of_first(
    tiny, reads, flf, encoder, pictures, conditioning, finished
):
    from wan_motion_chunks.wan import Keyframe

    state = plan(pictures[0])
    (found,) = warnings(reads, state)
    assert found.startswith("model ")
    assert "clip_vision_output" in found
    assert not warnings(tiny[0], state)
    assert not warnings(flf, state)
    features = encoder.encode_image(pictures[0])
    assert not warnings(reads, state, output=features)
    assert not warnings(reads, state, encoder=encoder)
    shown = [[conditioning[0][0], conditioning[0][1] | {"clip_vision_output": features}]]
    assert not warnings(reads, plan(pictures[0], stack=[Keyframe(shown, shown)]))
    assert warnings(reads, plan(pictures[0], stack=[Keyframe(shown, shown), Keyframe("b", "", 1)]))
    assert not warnings(reads, state, conditions=[shown[0][1]])
    assert warnings(reads, state, conditions=[conditioning[0][1]])
    _, _, report, _ = long_video(
        (reads, *tiny[1:]), pictures[0], conditioning, conditioning, "euler", "simple", steps=1
    )
    cropped, told, *_ = finished[-1][0].warnings
    assert cropped.startswith("start_image ")
    assert told == found
    assert read_report(report).warnings[:2] == [cropped, told]


def test_an_end_picture_is_warned_of_where_it_may_not_be_heeded(tiny, reads, flf, experts, encoder, pictures):
    from wan_motion_chunks.wan import Keyframe

    state, stacked = plan(pictures[0], pictures[3]), plan(pictures[0], stack=[Keyframe("a", "", end_image=pictures[3])])
    assert [found.split(":")[0] for found in warnings(tiny[0], state)] == ["end_image"]
    assert [found.split(":")[0] for found in warnings(tiny[0], stacked)] == ["end_image of prompt 1"]
    for model in (flf, experts):
        assert not warnings(model, state)
        assert not warnings(model, stacked)
    (found,) = warnings(flf, state, output=encoder.encode_image(pictures[0]))
    assert found.startswith("end_image: ")
    assert "clip_vision_output" in found


@pytest.fixture(scope="module")
def experts(comfy):
    """A model of Wan2.2's kind, which reads no features."""
    import comfy.utils
    from wan_motion_chunks.tiny import TRANSFORMER

    weights = comfy.utils.load_torch_file(str(TRANSFORMER))
    return comfy.sd.load_diffusion_model_state_dict(
        {name: value for name, value in weights.items() if "img" not in name}
    )


def test_the_split_nodes_warn_as_well_and_once(tiny, reads, pictures, conditioning):
    from wan_motion_chunks.nodes import FinishChunk, GuideNextChunk

    state = plan(pictures[0], length=25.0)
    for _ in range(2):
        state, *_, latent, _ = GuideNextChunk.execute(state, tiny[2], conditioning, conditioning, model=reads).args
        state, _, report = FinishChunk.execute(state, latent, tiny[2]).args
    assert state.warnings[1:] == warnings(reads, plan(pictures[0], length=25.0), by_chunk=True)
    assert read_report(report).warnings == list(state.warnings)
    assert [words.split()[0] for words in state.warnings] == ["start_image", "model"]
