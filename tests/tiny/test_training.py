from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from wan_motion_chunks.tiny.clips import ClipPool, Recipe
from wan_motion_chunks.tiny.muon import Muon
from wan_motion_chunks.tiny.teacher import fit_teacher
from wan_motion_chunks.tiny.train_transformer import ROUGHEST, embed_patches_by_product, measure, roughen
from wan_motion_chunks.tiny.training import Training

LENGTHS = {9: 0.5, 17: 0.5}


@pytest.fixture(scope="module")
def teacher():
    return fit_teacher(clips=128)


def pool(teacher, known, *, seed=0, **sizes):
    generator = torch.Generator().manual_seed(seed)
    sizes = {"first": 4, "size": 6, "fresh": 4} | sizes
    return ClipPool(teacher.encode, Recipe(LENGTHS, known), generator, device=torch.device("cpu"), **sizes)


def test_muon_is_torchs_own_in_batches():
    torch.manual_seed(0)
    starts = [torch.randn(shape) for shape in ((24, 24), (24, 24), (40, 24), (24, 40))]
    ours, theirs = ([nn.Parameter(start.clone()) for start in starts] for _ in range(2))
    batched = Muon(ours, lr=3e-3, weight_decay=1e-2)
    reference = torch.optim.Muon(theirs, lr=3e-3, weight_decay=1e-2, adjust_lr_fn="match_rms_adamw")
    for _ in range(3):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn_like(one)
            other.grad = one.grad.clone()
        batched.step()
        reference.step()
    for one, other, start in zip(ours, theirs, starts, strict=True):
        assert (one - start).abs().max() > 1e-3
        # Both orthogonalise in bfloat16, whose products a batch may sum in another order.
        torch.testing.assert_close(one, other, atol=1e-4, rtol=0)


def test_muon_reads_its_rate_anew_from_a_tensor():
    rate, weight = torch.tensor(0.0), nn.Parameter(torch.randn(8, 8))
    optimizer = Muon([weight], lr=rate)
    weight.grad, before = torch.randn(8, 8), weight.detach().clone()
    optimizer.step()
    assert torch.equal(weight, before)
    rate.fill_(1e-2)
    optimizer.step()
    assert not torch.equal(weight, before)


def test_patches_are_embedded_as_by_the_convolution():
    convolution = nn.Conv3d(36, 32, (1, 2, 2), (1, 2, 2))
    video = torch.randn(2, 36, 3, 8, 6)
    expected = convolution(video)
    embed_patches_by_product(SimpleNamespace(patch_embedding=convolution))
    torch.testing.assert_close(convolution(video), expected)


def test_a_transformer_is_measured_by_its_weights():
    weights = {f"blocks.{n}.ffn.0.weight": torch.empty(96, 128) for n in range(11)}
    assert measure(weights | {"head.head.weight": torch.empty(64, 128)}) == (128, 11, 96)


@pytest.mark.parametrize("known", [1, 5])
def test_clips_carry_their_known_frames(teacher, known):
    latent, condition, _ = pool(teacher, {known: 1.0}).sample(9, 4)
    cells = (known - 1) // 4 + 1
    mask, image = condition[:, :4], condition[:, 4:]
    assert (mask[:, :, :cells] == 1).all()
    assert (mask[:, :, cells:] == 0).all()
    assert torch.equal(image[:, :, :cells], latent[:, :, :cells])
    assert not torch.allclose(image[:, :, cells:], latent[:, :, cells:], atol=0.1)


def test_a_clip_has_frames_left_to_make(teacher):
    drawn = pool(teacher, {5: 0.5, 9: 0.5}, first=32, size=32)
    assert (drawn.sample(9, 64)[1][:, 0, 2] == 0).all()  # of 9 frames at most 5 are known
    assert (drawn.sample(17, 64)[1][:, 0, 2].mean(dim=(1, 2)) == 1).any()


def test_the_oldest_clips_make_room(teacher):
    kept = pool(teacher, {1: 1.0})
    before = {length: parts[0].clone() for length, parts in kept.kept.items()}
    while kept.coming is None:
        kept.refresh(1)
    assert kept.used == 0
    kept.coming.result()
    kept.refresh(0)
    (length,) = (length for length, drawn in kept.drawn.items() if drawn == 8)
    latent = kept.kept[length][0]
    changed = [not torch.equal(latent[place], before[length][place]) for place in range(6)]
    assert changed == [True, True, False, False, True, True]  # 4 and 5 were free, then 0 and 1 were the oldest
    assert kept.filled[length] == 6


def test_no_more_clips_are_drawn_than_are_used(teacher):
    kept = pool(teacher, {1: 1.0}, reuse=16.0)
    for _ in range(63):
        kept.refresh(1)
        assert kept.coming is None
    kept.refresh(1)
    assert kept.coming is not None


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**31))
def test_only_known_pictures_are_roughened(seed):
    torch.manual_seed(seed)
    condition = torch.randn(16, 20, 3, 8, 8)
    condition[:, :4] = (torch.arange(3) < 2).float().view(1, 1, 3, 1, 1)
    rough = roughen(condition)
    noise = (rough - condition)[:, 4:]
    assert torch.equal(rough[:, :4], condition[:, :4])
    assert (noise[:, :, 2] == 0).all()
    strength = noise[:, :, :2].std(dim=(1, 2, 3, 4))
    assert (strength <= ROUGHEST * 1.1).all()
    assert 0 < (strength > 0).sum() < 16


def steady(checkpoint, **options):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 2))
    return Training(model, checkpoint, 1e6, rate=1e-2, matrices="1", **options)


def train(training, first, last):
    for step in range(first, last):
        batch = torch.randn(4, 6, generator=torch.Generator().manual_seed(step))
        loss = training.model(batch).square().mean()
        training.update(loss, {"loss": loss.item()})
    return training


def test_a_resumed_run_goes_on_as_if_never_stopped(tmp_path):
    whole = train(steady(tmp_path / "whole.pt"), 0, 8)
    train(steady(tmp_path / "parts.pt"), 0, 4).save()
    parts = train(steady(tmp_path / "parts.pt"), 4, 8)
    assert parts.step == whole.step
    for name, value in whole.averaged.items():
        assert torch.equal(parts.averaged[name], value)
        assert torch.equal(dict(parts.model.named_parameters())[name], dict(whole.model.named_parameters())[name])


def test_steps_that_prepare_change_no_weight(tmp_path):
    training = steady(tmp_path / "none.pt")
    before = [p.detach().clone() for p in training.model.parameters()]
    training.rest()
    training.descend(training.model(torch.randn(4, 6)).square().mean())
    assert all(torch.equal(p, old) for p, old in zip(training.model.parameters(), before, strict=True))
    assert training.step == 0


def test_a_run_ends_with_its_budget_and_saves(tmp_path):
    training = steady(tmp_path / "short.pt")
    training.budget, saved, progress = 0.3, [], []
    for share in training.steps(saved=lambda: saved.append(training.step)):
        progress.append(share)
        train(training, training.step, training.step + 1)
    assert progress == sorted(progress)
    assert 0 <= progress[0] < progress[-1] < 1
    assert saved == [training.step]
    assert torch.load(tmp_path / "short.pt", weights_only=True)["step"] == training.step
