"""Every picture and mask of every node may be whatever the host brings, or is refused by name.

The nodes and their inputs are read from the schemas: a new node is in these tests, or they fail.
"""

import math

import pytest
import torch
from wan_motion_chunks.tests.host.schemas import call, flat, inputs, kind_of


def gray(image):
    return image[..., :1]


def with_alpha(image):
    return torch.cat((image, torch.ones_like(image[..., :1])), dim=-1)


PICTURES = {
    "float64": lambda image: image.double(),
    "float16": lambda image: image.half(),
    "bfloat16": lambda image: image.bfloat16(),
    "gray": gray,
    "gray and alpha": lambda image: with_alpha(gray(image)),
    "alpha": with_alpha,
    "not contiguous": lambda image: image.transpose(1, 2).contiguous().transpose(1, 2),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_of_any_type_and_channels_is_as_good_as_rgb(classes, arguments, kind):
    for name, declared in inputs(classes, "IMAGE"):
        given = arguments[name]
        changed = PICTURES[kind](given[declared.id])
        plain = gray(given[declared.id]).expand_as(given[declared.id]) if "gray" in kind else given[declared.id]
        made = flat(call(classes, arguments, name, **{declared.id: changed}).args)
        expected = flat(call(classes, arguments, name, **{declared.id: plain}).args)
        if made[0].shape != expected[0].shape:  # alpha is kept where a clip is given back
            assert name in ("JoinClips", "MatchColor"), (name, declared.id)
            assert (made[0][..., 3] == 1).all(), (name, declared.id)
            made[0] = made[0][..., :3]
        assert [each.dtype for each in made] == [each.dtype for each in expected], (name, declared.id)
        assert all(map(torch.equal, made, expected)), (name, declared.id)


BAD_PICTURES = {
    "NaN": (lambda image: image.index_fill(1, torch.tensor([3]), math.nan), "NaN"),
    "infinite": (lambda image: image.index_fill(1, torch.tensor([3]), math.inf), "infinite"),
    "none": (lambda image: image[:0], "got (0, "),
    "no height": (lambda image: image[:, :0], ", 0, "),
    "bytes": (lambda image: (255 * image).byte(), "(T, H, W, C) of floats in [0, 1], got torch.uint8"),
    "of bytes": (lambda image: 255 * image, "[0, 1], got 0 to "),
    "of [-1, 1]": (lambda image: 2 * image - 1, "[0, 1], got -1 to "),
    "five channels": (lambda image: image[..., [0, 1, 2, 0, 1]], "1 to 4 channels"),
    "no channel": (lambda image: image[..., :0], "1 to 4 channels"),
    "no batch": (lambda image: image[0], "(T, H, W, C)"),
    "a latent": (lambda image: {"samples": image}, "got dict"),
}


@pytest.mark.parametrize("kind", BAD_PICTURES)
def test_what_is_no_picture_is_refused_by_name(classes, arguments, kind):
    change, message = BAD_PICTURES[kind]
    for name, declared in inputs(classes, "IMAGE"):
        given = arguments[name]
        with pytest.raises(ValueError) as error:  # noqa: PT011  the message is matched
            call(classes, arguments, name, **{declared.id: change(given[declared.id])})
        assert declared.id in str(error.value), (name, declared.id)
        assert message in str(error.value), (name, declared.id)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (3, 200), (37, 53)], ids=str)
def test_a_picture_of_any_size_is_taken_or_refused_by_name(classes, arguments, size):
    refused = []
    for name, declared in inputs(classes, "IMAGE"):
        pictures = [each.id for each in classes[name].define_schema().inputs if kind_of(each) == "IMAGE"]
        changed = {key: torch.rand(len(arguments[name][key]), *size, 3) for key in pictures}
        given = {key: value for key, value in arguments[name].items() if key not in ("motion_region", "occlusion")}
        try:
            classes[name].execute(**given | changed)
        except ValueError as error:
            refused.append((name, declared.id, str(error).split(":")[0]))
    expected = [("BridgeClips", name, "first") for name in ("first", "second")]  # whose size is the video's
    expected.append(("FlowToImage", "images", "images"))  # which are to be of the flow's size
    if min(size) < 2:
        expected.append(("PredictMotion", "images", "images"))
    assert refused == expected


MASKS = {
    "float64": lambda mask: mask.double(),
    "float16": lambda mask: mask.half(),
    "one without a batch": lambda mask: mask[0] if len(mask) == 1 else mask,
    "not contiguous": lambda mask: mask.transpose(1, 2).contiguous().transpose(1, 2),
}
BAD_MASKS = {
    "NaN": (lambda mask: torch.full_like(mask, math.nan), "[0, 1], got nan"),
    "of bytes": (lambda mask: torch.full_like(mask, 255), "[0, 1], got 255 to 255"),
    "negative": (lambda mask: torch.full_like(mask, -1), "[0, 1], got -1 to -1"),
    "none": (lambda mask: mask[:0], "got (0, "),
    "no height": (lambda mask: mask[:, :0], ", 0, "),
    "a picture": (lambda mask: mask[..., None].expand(-1, -1, -1, 3), "(N, H, W), got torch.float32 ("),
    "another count": (lambda mask: mask[[0] * (len(mask) + 1)], "expected"),
    "another size": (lambda mask: mask[:, :, :3], "expected"),
}


@pytest.mark.parametrize("kind", MASKS)
def test_a_mask_of_any_type_is_as_good_as_float32(classes, arguments, kind):
    for name, declared in inputs(classes, "MASK"):
        given = arguments[name]
        changed = {declared.id: MASKS[kind](given[declared.id])}
        made, expected = (flat(call(classes, arguments, name, **values).args) for values in (changed, {}))
        assert all(map(torch.equal, made, expected)), (name, declared.id)


@pytest.mark.parametrize("kind", BAD_MASKS)
def test_what_is_no_mask_is_refused_by_name(classes, arguments, kind):
    change, message = BAD_MASKS[kind]
    for name, declared in inputs(classes, "MASK"):
        given = arguments[name]
        with pytest.raises(ValueError) as error:  # noqa: PT011  the message is matched
            call(classes, arguments, name, **{declared.id: change(given[declared.id])})
        assert str(error.value).startswith(f"{declared.id}: "), (name, declared.id)
        assert message in str(error.value), (name, declared.id)
