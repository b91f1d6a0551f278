"""What a user connects wrongly is refused before anything is sampled, by name and with the remedy."""

import pytest
import torch
from wan_motion_chunks.wan import Keyframe
from wan_motion_chunks.wan.settings import choose_settings


@pytest.fixture(scope="module")
def refuse(tiny):
    """Run Long Video with changed inputs and a sampler that must not be reached; returns the message."""
    from wan_motion_chunks.nodes import LongVideo, long_video

    model, clip, vae = tiny

    def run(monkeypatch, **changed):
        def never(*_):
            raise AssertionError("sampling began")

        monkeypatch.setattr(long_video.HostSampler, "__call__", never)
        arguments = {
            "model": model,
            "vae": vae,
            "start_image": torch.rand(1, 64, 64, 3),
            "width": 64,
            "height": 64,
            "length": 33.0,
            "length_unit": "frames",
            "fps": 16.0,
            "chunk_frames": 17,
            "settings": choose_settings(own={"overlap_frames": 8}),
            "seed": 0,
            "steps": 2,
            "cfg": 1.0,
            "sampler_name": "euler",
            "scheduler": "simple",
            "noise": "per_chunk",
            "clip": clip,
        }
        with pytest.raises(ValueError) as error:  # noqa: PT011  the test matches the message
            LongVideo.execute(**(arguments | changed))
        return str(error.value)

    return run


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"feature_continuity": 0.5}, "no clip_vision is connected"),
        ({"width": 72}, "width must be a multiple of 16, got 72; the nearest is 64."),
        ({"height": 8}, "height must be a multiple of 16, got 8; the nearest is 16."),
        ({"height": -16}, "height must be a multiple of 16, got -16"),
        ({"start_image": torch.rand(0, 64, 64, 3)}, "start_image: expected at least one picture"),
        ({"start_image": torch.full((1, 64, 64, 3), torch.nan)}, "start_image: holds NaN or infinite pixels"),
        ({"start_image": torch.rand(1, 64, 64, 5)}, "start_image: expected 1 to 4 channels"),
        ({"start_image": torch.rand(1, 1, 1000, 3)}, "start_image: of 1000 x 1 nothing is left when cropped"),
        (
            {"start_image": torch.rand(17, 64, 64, 3)},
            "of 17 start frames nothing is left to make",
        ),
        ({"settings": choose_settings()}, "overlap_frames must leave room in a chunk: 16 becomes 17"),
        ({"chunk_frames": 80}, "chunk_frames: Wan codes 4n + 1 frames (1, 5, 9, ..., 81), got 80; the nearest is 81."),
        ({"chunk_frames": -3}, "got -3; the nearest is 1"),
        ({"length": 0.0}, "length must be more than 0 frames, got 0.0"),
        ({"length": float("nan")}, "length must be more than 0 frames, got nan"),
        ({"length": 1.0}, "of 1 start frames nothing is left to make in a first chunk of 1. Raise length"),
        ({"length_unit": "minutes"}, "length_unit must be one of seconds, frames, got 'minutes'"),
        ({"cfg": float("nan")}, "cfg must be a number, got nan"),
        ({"length": 20.5}, "length must be a whole number of frames, got 20.5"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"sampler_name": "eular"}, "sampler_name must be one of euler"),
        ({"scheduler": "linear"}, "scheduler must be one of simple"),
        ({"seed": -1}, "seed must be in [0, 18446744073709551615], got -1"),
        ({"clip": None}, "Connect positive (a conditioning), or clip"),
        ({"fps": 0.0}, "fps must be more than 0, got 0.0"),
        ({"prompt": "0: walks\nruns"}, "prompt, line 2: expected a start and a text"),
        ({"prompt_stack": []}, "prompt_stack: expected at least one prompt"),
        ({"prompt_stack": [["a", "b"]]}, "prompt_stack: item 1 should be [positive, negative, start_chunk"),
        ({"prompt_stack": [["a", "b", -1, None]]}, "item 1: start must be 0 chunks or more, got -1"),
        ({"prompt_stack": [["a", "", 2, None], ["b", "", 2, None]]}, "items 1 and 2 both start at start 2 (chunk 3)"),
        ({"prompt_stack": [["a", "", 0, None]], "positive": []}, "prompt_stack: positive and negative are connected"),
        ({"prompt_stack": [Keyframe("a", "", chunk_frames=9)]}, "8 becomes 9 (4k + 1), but chunk_frames is 9"),
        (
            {"prompt_stack": [Keyframe("a", ""), Keyframe("b", "", 1, start_image=torch.rand(1, 9, 9, 5))]},
            "prompt_stack: start_image: expected 1 to 4 channels",
        ),
        ({"switch_step": 2}, "switch_step must be less than the 2 steps, got 2"),
        ({"boundary": 1.0}, "boundary must be"),
    ],
)
def test_the_message_names_the_input(refuse, monkeypatch, changed, message):
    assert message in refuse(monkeypatch, **changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"preset": "Best"}, "preset must be one of Standard, Fast motion, Slow or static, Auto, got 'Best'"),
        ({"overlap_frames": -1}, "overlap_frames must be at least 1, or 0 for the preset's, got -1"),
        ({"color_match": "best"}, "color_match must be one of affine, mean, mkl, none, got 'best'"),
        ({"color_anchor": 2.0}, "color_anchor must be"),
        ({"seam_retries": -1}, "seam_retries must be 0 or more"),
        ({"blend_strength": -0.1}, "blend_strength must be in"),
        ({"motion_weight": float("nan")}, "motion_weight must be in"),
        ({"continuity": "best"}, "continuity must be one of auto"),
        ({"lora_in_motion": 11.0}, "lora_in_motion must be"),
    ],
)
def test_settings_name_the_input(comfy, changed, message):
    from wan_motion_chunks.nodes import Settings

    knobs = dict.fromkeys(("motion_weight", "mask_sigma", "step_gain", "blend_strength"), -1.0)
    knobs |= {"preset": "Standard", "overlap_frames": 0, "continuity": "auto", "color_match": "affine"}
    knobs |= {"color_anchor": 0.0, "seam_retries": 0, "lora_at_rest": 1.0, "lora_in_motion": 1.0}
    with pytest.raises(ValueError) as error:  # noqa: PT011  the message is matched
        Settings.execute(**(knobs | changed))
    assert message in str(error.value)


def test_a_text_to_video_model_is_refused(refuse, monkeypatch, comfy):
    model = wan_model(comfy, in_dim=16)
    message = refuse(monkeypatch, model=model)
    assert (
        "expected Wan2.1 image-to-video, got WAN21 with 16 input channels instead of 36 (a text-to-video model)"
        in message
    )
    assert "Load a wan2.1_i2v checkpoint" in message


def test_a_model_of_another_kind_is_refused(refuse, monkeypatch, comfy):
    import comfy.supported_models

    config = comfy.supported_models.SD15({"disable_unet_model_creation": True, "in_channels": 4})
    model = comfy.model_patcher.ModelPatcher(config.get_model({}), torch.device("cpu"), torch.device("cpu"))
    assert "model: expected Wan2.1 image-to-video, got BaseModel" in refuse(monkeypatch, model=model)


def test_the_vae_of_wan22_is_refused(refuse, monkeypatch, comfy):
    import comfy.ldm.wan.vae2_2

    # As the host's loader knows it: by this layer, whose name and width Wan2.1's VAE shares but for the 48 channels.
    weights = comfy.ldm.wan.vae2_2.WanVAE(dim=160, z_dim=48, dim_mult=[1, 2, 4, 4], num_res_blocks=2).state_dict()
    message = refuse(monkeypatch, vae=comfy.sd.VAE(sd=weights))
    assert "vae: expected the Wan2.1 VAE (WanVAE, 16 channels, 8x), got WanVAE of 48 channels, 16x" in message


def test_a_vae_of_the_same_shapes_is_refused(refuse, monkeypatch, tiny):
    from copy import copy

    vae = copy(tiny[2])  # HunyuanVideo's has 16 channels, 8 x 8 pixels and four frames to a latent too
    vae.first_stage_model = torch.nn.Module()
    assert "vae: expected the Wan2.1 VAE" in refuse(monkeypatch, vae=vae)


def wan_model(comfy, in_dim):
    import comfy.model_patcher
    import comfy.ops
    import comfy.supported_models

    config = {"image_model": "wan2.1", "model_type": "t2v", "dim": 128, "ffn_dim": 128, "num_heads": 1}
    config |= {"num_layers": 1, "in_dim": in_dim, "text_dim": 4096, "out_dim": 16, "freq_dim": 256}
    supported = comfy.supported_models.WAN21_T2V(config)
    supported.set_inference_dtype(torch.float32, None)
    return comfy.model_patcher.ModelPatcher(supported.get_model({}), torch.device("cpu"), torch.device("cpu"))
