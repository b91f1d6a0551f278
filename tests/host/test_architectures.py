"""Every Wan model that has files of its own, by the host's detection: taken or refused by its product's name."""

from types import SimpleNamespace

import pytest
from wan_motion_chunks.benchmarks.architectures import ARCHITECTURES, detect
from wan_motion_chunks.wan.families.products import MODELS, name_model

I2V, VACE = ("WAN21", 36), ("WAN21_Vace", 16)
TAKEN = {
    # The family, and whether it reads an end picture's features, and may not be trained to end with one.
    "Wan2.1 I2V 14B": (I2V, "wan_i2v", False, True),
    "Wan2.1 FLF2V 14B": (I2V, "wan_i2v", True, False),
    "Wan2.1 Fun InP 1.3B": (I2V, "wan_i2v", False, True),
    "Wan2.2 I2V A14B": (I2V, "wan_i2v", False, False),
    "Wan2.1 VACE 14B": (VACE, "wan_vace", False, False),
    "Wan2.1 VACE 1.3B": (VACE, "wan_vace", False, False),
}
REFUSED = {
    "ID-V2V": ("WAN21_Vace", 36),
    "Wan2.1 Fun Control 14B": ("WAN21", 48),
    "Wan2.1 Fun Control 14B V1.1": ("WAN21", 48),
    "Wan2.2 Fun Control A14B": ("WAN21", 52),
    "Wan2.1 T2V 1.3B": ("WAN21", 16),
    "Wan2.2 T2V A14B": ("WAN21", 16),
    "Wan2.2 TI2V 5B": ("WAN22", 48),
    "Wan2.2 Fun InP 5B": ("WAN22", None),
    "Wan2.1 Fun Camera 14B": ("WAN21_Camera", None),
    "Wan2.2 Fun Camera A14B": ("WAN21_Camera", None),
    "Wan2.2 S2V 14B": ("WAN22_S2V", None),
    "HuMo 17B": ("WAN21_HuMo", None),
    "Wan2.2 Animate 14B": ("WAN22_Animate", None),
}
"""By the product's class and channels."""
BILLIONS = {"Wan2.1 I2V 14B": 16.4, "Wan2.2 I2V A14B": 14.3, "Wan2.1 VACE 14B": 17.3, "Wan2.2 TI2V 5B": 5.0}
"""Parameters of the published files."""


@pytest.fixture(scope="module")
def model(comfy):
    """A MODEL by its product's name, without weights."""
    made = {}

    def get(product):
        if product not in made:
            made[product] = SimpleNamespace(model=detect(ARCHITECTURES[product].state_dict()))
        return made[product]

    return get


def test_every_architecture_is_taken_or_refused():
    assert set(ARCHITECTURES) == {*TAKEN, *REFUSED}


@pytest.mark.parametrize("product", BILLIONS)
def test_a_state_dict_is_as_large_as_the_file(comfy, product):
    weights = ARCHITECTURES[product].state_dict()
    assert sum(tensor.numel() for tensor in weights.values()) / 1e9 == pytest.approx(BILLIONS[product], abs=0.05)


@pytest.mark.parametrize("product", TAKEN)
def test_a_model_of_a_family_is_taken(model, product):
    from wan_motion_chunks.wan.host.checks import check_model, may_not_end, reads_end

    known, family, reads, may_not = TAKEN[product]
    found = model(product)
    assert check_model(found).name == family
    assert name_model(found) == MODELS[known]
    assert (reads_end(found), may_not_end(found)) == (reads, may_not)


@pytest.mark.parametrize("product", REFUSED)
def test_any_other_is_refused_by_its_name(model, product):
    from wan_motion_chunks.wan.host.checks import check_model

    with pytest.raises(ValueError, match=r"^model: ") as error:
        check_model(model(product))
    assert f"got {MODELS[REFUSED[product]]}." in str(error.value)


def test_two_experts_are_of_one_form(model):
    from wan_motion_chunks.wan.host.checks import check_experts

    for product in ("Wan2.2 I2V A14B", "Wan2.1 VACE 14B"):  # VACE-Fun A14B has the layers of VACE 14B
        check_experts(model(product), model(product))
    with pytest.raises(ValueError, match=r"model_low_noise: .*model_type"):
        check_experts(model("Wan2.2 I2V A14B"), model("Wan2.1 I2V 14B"))
