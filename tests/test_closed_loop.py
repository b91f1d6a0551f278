"""The closed loop of exact denoisers: its latents, its beliefs and its fit, held against what is known of them."""

import pytest
import torch
from wan_motion_chunks.benchmarks.closed_loop import Chunk, Path, draw_bank, draw_told, fit_path, start_of
from wan_motion_chunks.benchmarks.ideal_denoiser import TeacherVae, draw_world, mixed
from wan_motion_chunks.benchmarks.paths import PathCoder, paint

CHUNK = Chunk(17, 9)


@pytest.fixture(scope="module")
def scene():
    world, vae = draw_world(torch.Generator().manual_seed(3)), TeacherVae(None)
    return world, vae, PathCoder(world, vae)


def path_of(velocity, later, turn):
    velocity, later = torch.tensor([velocity]), torch.tensor([later])
    return Path(start_of(velocity[0], later[0], CHUNK)[None], velocity, later, torch.tensor([turn]))


def test_a_path_is_coded_as_its_painted_frames_are(scene):
    world, vae, coder = scene
    centers = path_of((0.93, 0.41), (-0.7, 0.33), 9).centers(17)
    painted = vae.code(paint(world, centers[0])[None])
    moved = vae.code(paint(world, centers[0] + 0.1)[None])
    wrong = (coder.code(centers) - painted).square().mean()
    assert wrong < 0.1 * (moved - painted).square().mean()


@pytest.mark.parametrize(("velocity", "later", "turn"), [((1.1, 0.4), (1.1, 0.4), 17), ((1.1, 0.4), (-0.9, 0.6), 8)])
def test_a_fit_finds_velocities_between_those_of_the_bank(scene, velocity, later, turn):
    world, vae, coder = scene
    true = path_of(velocity, later, turn)
    generator = torch.Generator().manual_seed(7)
    paths, _ = draw_bank(true.start[0], true.velocity[0] + 0.05, true.later[0], CHUNK, generator)
    latent = vae.code(paint(world, true.centers(17)[0])[None])
    latent = latent + 0.1 * torch.randn(latent.shape, generator=generator)
    found = fit_path(coder, latent, paths, coder.code(paths.centers(17)), CHUNK)
    assert (found.later - true.later).norm() < 0.03
    assert (found.centers(17) - true.centers(17))[:, 9:].norm(dim=-1).max() < 0.15


def test_what_is_drawn_near_the_known_motion_counts_no_more_than_it_is_likely():
    """Means over many drawn banks of the velocities that they end with, and of clips that keep theirs."""
    told, known, generator = torch.tensor([1.0, 0.5]), torch.tensor([0.7, 0.1]), torch.Generator().manual_seed(0)
    kept, later = [], []
    for _ in range(400):
        paths, likely = draw_bank(torch.zeros(2), known, told, CHUNK, generator)
        weight = likely.exp()[:, None]
        kept.append(weight[paths.turn >= CHUNK.length].sum())
        later.append((weight * paths.later).sum(dim=0))
    assert torch.stack(kept).mean() == pytest.approx(1, abs=0.02)
    expected = draw_told(told, 100_000, generator).mean(dim=0)
    torch.testing.assert_close(torch.stack(later).mean(dim=0), expected, rtol=0.02, atol=0.02)


def test_beliefs_are_mixed_as_their_shares():
    generator = torch.Generator().manual_seed(0)
    evidence, likely = torch.randn(2, 50, generator=generator).unbind(0)
    blind, heeded = likely.softmax(0), (likely + evidence).softmax(0)
    for share in (0.0, 0.3, 1.0):
        torch.testing.assert_close(mixed(evidence, share, likely).exp(), share * heeded + (1 - share) * blind)
