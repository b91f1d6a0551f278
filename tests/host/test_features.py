"""CLIP vision features over a long video, by the host's own encoder with random weights."""

import json

import pytest
import torch
from wan_motion_chunks.tests.host.test_parity import long_video

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


def test_features_pass_from_the_start_image_to_the_handed_frame_by_time(encoder):
    from wan_motion_chunks.wan.features import FeatureTrack
    from wan_motion_chunks.wan.guide import ChunkGuide

    frames = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    first, last = (encoder.encode_image(frame[None].movedim(1, -1)) for frame in frames)
    kept = first.penultimate_hidden_states.clone()
    nothing = torch.zeros(1)
    for time in (0.0, 0.4):
        guide = ChunkGuide(1, "overlap", "", 9, nothing, None, nothing, nothing, time=time, handed=frames[1:])
        found = FeatureTrack(frames[:1], first, encoder, 0.5)(guide)
        expected = torch.lerp(kept, last.penultimate_hidden_states, 0.5 * time)
        torch.testing.assert_close(found.penultimate_hidden_states, expected)
    assert torch.equal(first.penultimate_hidden_states, kept)


class Watched:
    """The encoder, and the pictures that it was shown."""

    def __init__(self, encoder):
        self.encoder, self.model, self.shown = encoder, encoder.model, []

    def encode_image(self, image):
        self.shown.append(image)
        return self.encoder.encode_image(image)


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
