"""The tiny Wan2.1 as the stock host sees it."""

import pytest
import torch
from wan_motion_chunks.tiny import TRANSFORMER, VAE
from wan_motion_chunks.tiny.scenes import draw_scenes
from wan_motion_chunks.tiny.text import embed_text


def test_both_files_together_are_at_most_24_mib():
    assert TRANSFORMER.stat().st_size + VAE.stat().st_size <= 24 * 2**20


def test_the_stock_loaders_take_the_files(comfy, monkeypatch):
    import folder_paths

    import nodes

    for kind, path in (("diffusion_models", TRANSFORMER), ("vae", VAE)):
        folders, extensions = folder_paths.folder_names_and_paths[kind]
        monkeypatch.setitem(folder_paths.folder_names_and_paths, kind, ([*folders, str(path.parent)], extensions))
    (model,) = nodes.UNETLoader().load_unet(TRANSFORMER.name, "default")
    (vae,) = nodes.VAELoader().load_vae(VAE.name)
    assert type(model.model).__name__ == "WAN21"
    assert model.model.image_to_video
    assert model.model.diffusion_model.patch_embedding.weight.shape[1] == 36
    assert type(vae.first_stage_model).__name__ == "WanVAE"
    assert vae.latent_channels == 16


def test_the_vae_keeps_held_out_clips_of_17_frames_above_26_db(tiny):
    frames = draw_scenes(6, 17, torch.Generator().manual_seed(8_000_000)).frames.movedim(2, -1)
    decoded = torch.cat([tiny[2].decode(tiny[2].encode(clip)) for clip in frames])
    psnr = -10 * (decoded - frames).square().mean(dim=(1, 2, 3, 4)).log10()
    assert psnr.mean() >= 26


def test_latents_do_not_drift_over_a_long_clip(tiny, comfy):
    import comfy.latent_formats

    frames = draw_scenes(6, 81, torch.Generator().manual_seed(8_000_001), turn=0.0).frames.movedim(2, -1)
    latent = torch.cat([tiny[2].encode(clip) for clip in frames])
    level = comfy.latent_formats.Wan21().process_in(latent).square().mean(dim=(0, 1, 3, 4)).sqrt()  # per latent frame
    assert ((level / level[1]).log().abs() < 0.2).all()


def test_a_pinned_head_has_the_latents_of_the_whole_clip(tiny):
    # Causal: what comes after the known frames does not reach back into their latents.
    frames = draw_scenes(1, 17, torch.Generator().manual_seed(3)).frames[0].movedim(1, -1)
    canvas = frames.clone()
    canvas[9:] = 0.5
    known, whole = tiny[2].encode(canvas)[:, :, :3], tiny[2].encode(frames)[:, :, :3]
    torch.testing.assert_close(known, whole, rtol=1e-4, atol=1e-4)


def test_the_hosts_text_node_encodes_with_our_clip(tiny):
    import nodes

    (conditioning,) = nodes.CLIPTextEncode().encode(tiny[1], "a red ball moves (left:1.2)")
    torch.testing.assert_close(conditioning[0][0][0].float(), embed_text("a red ball moves left"), rtol=1e-3, atol=1e-3)


def test_clip_vision_features_change_nothing(tiny):
    transformer = tiny[0].model.diffusion_model
    assert all((block.cross_attn.v_img.weight == 0).all() for block in transformer.blocks)


def test_exported_weights_load_back_into_training(comfy, tmp_path):
    from safetensors.torch import load_file
    from wan_motion_chunks.tiny.train_vae import export, load_exported

    export(load_exported(VAE), tmp_path / "again.safetensors")
    again = load_file(tmp_path / "again.safetensors")
    for name, value in load_file(VAE).items():
        torch.testing.assert_close(again[name], value, rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("text", ["", "word " * 100])
def test_prompts_of_any_length_encode(tiny, text):
    conditioning = tiny[1].encode_from_tokens_scheduled(tiny[1].tokenize(text))
    assert conditioning[0][0].shape[-1] == 4096


@pytest.mark.parametrize(("dim", "heads"), [(128, 1), (256, 2)])
def test_what_training_exports_is_an_i2v_model_to_the_host(comfy, tmp_path, dim, heads):
    from wan_motion_chunks.tiny.train_transformer import export, new_transformer

    trained = new_transformer(dim, 2, 64)
    export(dict(trained.named_parameters()), tmp_path / "new.safetensors")
    model = comfy.sd.load_diffusion_model(str(tmp_path / "new.safetensors"))
    assert model.model.image_to_video
    assert model.model.diffusion_model.num_heads == heads
    loaded = model.model.diffusion_model.state_dict()
    for name, value in trained.named_parameters():
        torch.testing.assert_close(loaded[name].float(), value.detach(), atol=1e-3, rtol=1e-3)
    images = {name: value for name, value in loaded.items() if "v_img" in name}
    assert len(images) == 4
    assert all((value == 0).all() for value in images.values())
