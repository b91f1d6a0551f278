from types import SimpleNamespace

import pytest
from wan_motion_chunks.wan.families import FAMILIES, find_family
from wan_motion_chunks.wan.families.products import MODELS, VAES, name_model, name_vae


def model(kind, channels=None):
    """A MODEL of a class of the host's, with so many input channels."""
    base = type(kind, (), {})()
    if channels is not None:
        weight = SimpleNamespace(shape=(128, channels, 1, 2, 2))
        base.diffusion_model = SimpleNamespace(patch_embedding=SimpleNamespace(weight=weight))
    return SimpleNamespace(model=base)


@pytest.mark.parametrize(("kind", "channels"), MODELS)
def test_a_model_goes_by_its_products_name(kind, channels):
    assert name_model(model(kind, channels)) == MODELS[kind, channels]


@pytest.mark.parametrize(
    ("kind", "channels", "name"),
    [
        ("WAN21_Camera", 32, MODELS["WAN21_Camera", None]),
        ("WAN22", 148, MODELS["WAN22", None]),
        ("WAN21", 100, "a model that the host calls WAN21 with 100 input channels"),
        ("Unheard", None, "a model that the host calls Unheard"),
    ],
)
def test_other_channels_and_classes_have_a_name_too(kind, channels, name):
    assert name_model(model(kind, channels)) == name


@pytest.mark.parametrize(("kind", "channels"), MODELS)
def test_what_no_family_takes_is_refused_by_its_name(kind, channels):
    came = model(kind, channels)
    if any(family.takes(came) for family in FAMILIES):
        assert find_family(came) in FAMILIES
        return
    with pytest.raises(ValueError, match=r"^model_low_noise: ") as refused:
        find_family(came, "model_low_noise")
    words = str(refused.value)
    assert f"got {MODELS[kind, channels]}." in words
    assert all(each in words for family in FAMILIES for each in (*family.expected, *family.files))
    assert kind == MODELS[kind, channels] or kind not in words.replace(MODELS[kind, channels], "")


def test_each_family_takes_one_product():
    taken = [each for each in MODELS if any(family.takes(model(*each)) for family in FAMILIES)]
    assert taken == [("WAN21", 36), ("WAN21_Vace", 16)]


def test_a_vae_goes_by_its_products_name():
    for (kind, channels), name in VAES.items():
        assert name_vae(SimpleNamespace(first_stage_model=type(kind, (), {})(), latent_channels=channels)) == name
    other = SimpleNamespace(first_stage_model=object(), latent_channels=4)
    assert name_vae(other) == "a VAE that the host calls object"
