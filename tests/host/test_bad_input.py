"""What a user connects wrongly is refused before anything is sampled, by name and with the remedy."""

import re

import pytest
import torch
from wan_motion_chunks.tests.host.video import with_options
from wan_motion_chunks.wan import Keyframe
from wan_motion_chunks.wan.presets import PRESETS
from wan_motion_chunks.wan.settings import COLORS, choose_settings


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
            "prompt": "",
            "negative_prompt": "",
            "clip": clip,
        }
        with pytest.raises(ValueError) as error:  # noqa: PT011  the test matches the message
            LongVideo.execute(**with_options(arguments | changed))
        return str(error.value)

    return run


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"feature_continuity": 0.5}, r"^feature_continuity .*0\.5.*clip_vision"),
        ({"width": 72}, r"^width .*16, got 72;.* 64\."),
        ({"height": 8}, r"^height .*16, got 8;.* 16\."),
        ({"height": -16}, "^height .*0, got -16"),
        ({"start_image": torch.rand(0, 64, 64, 3)}, r"^start_image: .*got \(0, 64, 64, 3\)"),
        ({"start_image": torch.full((1, 64, 64, 3), torch.nan)}, "^start_image: .*NaN"),
        ({"start_image": torch.rand(1, 64, 64, 5)}, "^start_image: .*1 to 4 channels.*got 5"),
        ({"start_image": torch.rand(1, 1, 1000, 3)}, "^start_image: .*1000 x 1 .*64 x 64"),
        (
            {"start_image": torch.rand(17, 64, 64, 3)},
            " 17 start frames",
        ),
        ({"settings": choose_settings()}, "^overlap_frames .* 16 .* 17 .*chunk_frames .* 17"),
        ({"chunk_frames": 80}, r"^chunk_frames: .*4n \+ 1.*got 80;.* 81\."),
        ({"chunk_frames": -3}, "^chunk_frames: .*got -3;.* 1"),
        ({"length": 0.0}, r"^length .*got 0\.0"),
        ({"length": float("nan")}, "^length .*got nan"),
        ({"length": 1.0}, " 1 start frames .*length"),
        ({"length_unit": "minutes"}, "^length_unit .*seconds, frames, got 'minutes'"),
        ({"cfg": float("nan")}, "^cfg .*got nan"),
        ({"length": 20.5}, r"^length .*got 20\.5"),
        ({"steps": 0}, "^steps .*got 0"),
        ({"sampler_name": "eular"}, "^sampler_name .*euler.*got 'eular'"),
        ({"scheduler": "linear"}, "^scheduler .*simple.*got 'linear'"),
        ({"seed": -1}, r"^seed .*\[0, 18446744073709551615\], got -1"),
        ({"clip": None}, "^clip: .*positive"),
        ({"fps": 0.0}, r"^fps .*got 0\.0"),
        ({"prompt": "1: walks\nruns"}, "^prompt, line 2: .*got 'runs'"),
        ({"prompt_stack": []}, "^prompt_stack: "),
        ({"prompt_stack": [["a", "b"]]}, r"^prompt_stack: item 1 .*\[positive, negative, start_chunk"),
        ({"prompt_stack": [["a", "b", -1, None]]}, "^prompt_stack: item 1: start .*got -1"),
        (
            {"prompt_stack": [["a", "", 2, None], ["b", "", 2, None]]},
            r"^prompt_stack: .* 1 and 2 .*chunk 3 \(start_chunk 2",
        ),
        ({"prompt_stack": [["a", "", 0, None]], "positive": []}, "^prompt_stack: .*positive"),
        ({"prompt_stack": [Keyframe("a", "", chunk_frames=9)]}, "^overlap_frames .* 8 .* 9 .*chunk_frames .* 9"),
        (
            {"prompt_stack": [Keyframe("a", ""), Keyframe("b", "", 1, start_image=torch.rand(1, 9, 9, 5))]},
            "^prompt_stack: .*start_image.*1 to 4 channels.*got 5",
        ),
        ({"switch_step": 2}, "^switch_step .* 2 steps, got 2"),
        ({"boundary": 1.0}, r"^boundary .*1\.0"),
    ],
)
def test_the_message_names_the_input(refuse, monkeypatch, changed, message):
    refused = refuse(monkeypatch, **changed)
    assert re.search(message, refused), refused


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"preset": "Best"}, f"^preset .*{', '.join((*PRESETS, 'Auto'))}, got 'Best'"),
        ({"overlap_frames": -1}, "^overlap_frames .*got -1"),
        ({"color_match": "best"}, f"^color_match .*{', '.join(COLORS)}, got 'best'"),
        ({"color_anchor": 2.0}, r"^color_anchor .*1.* 2\.0"),
        ({"seam_retries": -1}, "^seam_retries .*got -1"),
        ({"blend_strength": -0.1}, r"^blend_strength .*got -0\.1"),
        ({"motion_weight": float("nan")}, "^motion_weight .*got nan"),
        ({"continuity": "best"}, "^continuity .*auto.*got 'best'"),
        ({"lora_in_motion": 11.0}, r"^lora_in_motion .*got 11\.0"),
    ],
)
def test_settings_name_the_input(comfy, changed, message):
    from wan_motion_chunks.nodes import Settings

    knobs = dict.fromkeys(("motion_weight", "mask_sigma", "blend_strength"), -1.0)
    knobs |= {
        "step_gain": 1.0,
        "preset": "Standard",
        "overlap_frames": 0,
        "continuity": "auto",
        "color_match": "affine",
    }
    knobs |= {"color_anchor": 0.0, "seam_retries": 0, "lora_at_rest": 1.0, "lora_in_motion": 1.0}
    with pytest.raises(ValueError, match=message):
        Settings.execute(**(knobs | changed))


def test_a_text_to_video_model_is_refused(refuse, monkeypatch, comfy):
    model = wan_model(comfy, in_dim=16)
    message = refuse(monkeypatch, model=model)
    assert re.match(r"model: .*got Wan2\.1 or Wan2\.2 text-to-video\. .*wan2\.1_i2v", message), message


def test_a_model_of_another_kind_is_refused(refuse, monkeypatch, comfy):
    import comfy.supported_models

    config = comfy.supported_models.SD15({"disable_unet_model_creation": True, "in_channels": 4})
    model = comfy.model_patcher.ModelPatcher(config.get_model({}), torch.device("cpu"), torch.device("cpu"))
    assert re.match(r"model: .*got Stable Diffusion 1\.5", refuse(monkeypatch, model=model))


def test_the_vae_of_wan22_is_refused(refuse, monkeypatch, comfy):
    import comfy.ldm.wan.vae2_2

    # As the host's loader knows it: by this layer, whose name and width Wan2.1's VAE shares but for the 48 channels.
    weights = comfy.ldm.wan.vae2_2.WanVAE(dim=160, z_dim=48, dim_mult=[1, 2, 4, 4], num_res_blocks=2).state_dict()
    message = refuse(monkeypatch, vae=comfy.sd.VAE(sd=weights))
    assert re.match(r"vae: .*\(16 .*, 8x\), got .*Wan2\.2 .*TI2V 5B .*48 .*, 16x.*wan_2\.1_vae", message), message


def test_a_vae_of_the_same_shapes_is_refused(refuse, monkeypatch, tiny):
    from copy import copy

    vae = copy(tiny[2])  # HunyuanVideo's has 16 channels, 8 x 8 pixels and four frames to a latent too
    vae.first_stage_model = torch.nn.Module()
    assert re.match("vae: .* Module .*16 ", refuse(monkeypatch, vae=vae))


def wan_model(comfy, in_dim):
    import comfy.model_patcher
    import comfy.ops
    import comfy.supported_models

    config = {"image_model": "wan2.1", "model_type": "t2v", "dim": 128, "ffn_dim": 128, "num_heads": 1}
    config |= {"num_layers": 1, "in_dim": in_dim, "text_dim": 4096, "out_dim": 16, "freq_dim": 256}
    supported = comfy.supported_models.WAN21_T2V(config)
    supported.set_inference_dtype(torch.float32, None)
    return comfy.model_patcher.ModelPatcher(supported.get_model({}), torch.device("cpu"), torch.device("cpu"))
