"""A pretended card asks for what a real one would, of code whose launches, copies and reads can be counted by hand."""

import pytest
import torch
from wan_motion_chunks.benchmarks.card_counts import Counts
from wan_motion_chunks.benchmarks.fake_card import CARD, CardError, record, replay


def numbers(device):
    return torch.arange(12.0, device=device).view(3, 4)


def run(work, setup=numbers, places=CARD):
    """What ``work`` gives for real, and what it asks a card for; the lines of this file together."""
    recording = record(setup, work, "cpu")
    found = replay(recording, setup, work, places)
    assert found.left == 0
    return recording.result, found.result, sum(found.lines.values(), Counts())


def test_launches_are_operations_that_are_no_views():
    _, _, found = run(lambda x: ((x.t() * 2)[0].view(-1) + x.new_empty(3)).sum())
    assert found == Counts(launches=3)


def test_copies_are_counted_with_their_bytes():
    def work(x):
        x.cpu()
        x[:1].copy_(torch.zeros(1, 4))
        return torch.ones(5, dtype=torch.float64).to(x.device)

    _, _, found = run(work)
    assert found == Counts(down=1, down_bytes=48, up=2, up_bytes=16 + 40)
    assert found.syncs == 1


@pytest.mark.parametrize(
    ("read", "launches"),
    [
        (lambda x: x[0, 1].item(), 0),
        (lambda x: bool(x[0, 1]), 0),
        (lambda x: x.tolist(), 0),
        (lambda x: torch.equal(x, x), 0),
        (lambda x: (x > 4).nonzero().shape, 1),
        (lambda x: x[x > 4].shape, 1),
        (lambda x: float(x.max()), 1),
    ],
)
def test_a_read_gives_what_the_real_run_gave(read, launches):
    real, fake, found = run(read)
    assert fake == real
    assert found == Counts(launches=launches, reads=1)


def test_a_read_on_the_cpu_is_free():
    assert run(lambda x: x.tolist(), places="cpu")[2] == Counts()


def test_a_setup_is_not_counted():
    assert run(lambda x: x.view(-1), lambda device: numbers(device) * 2)[2] == Counts()


@pytest.mark.parametrize(
    "work",
    [
        lambda x: x + torch.ones(3, 4),
        lambda x: torch.ones(3)[x[0].long().clamp(max=2)],
        lambda x: torch.equal(x, torch.ones(3, 4)),
    ],
)
def test_two_devices_that_meet_are_an_error_even_where_nobody_hears_of_it(work):
    def deaf(x):
        try:
            return work(x)
        except RuntimeError:
            return None

    recording = record(numbers, deaf, "cpu")
    with pytest.raises(CardError, match=r"device|CPU"):
        replay(recording, numbers, deaf, CARD)


def test_a_read_that_the_real_run_did_not_make_is_an_error():
    recording = record(numbers, lambda x: x.device.type == "cuda" and x.sum().item(), "cpu")
    with pytest.raises(CardError):
        replay(recording, numbers, lambda x: x.device.type == "cuda" and x.sum().item(), CARD)


def test_the_peak_is_what_is_alive_at_once():
    def work(x):
        first = torch.empty(1000, device=x.device)  # 4000 bytes
        second = first + 1
        del first
        third = second + 1
        return third.view(10, 100)

    recording = record(numbers, work, "cpu")
    assert replay(recording, numbers, work, CARD).peak == 48 + 8000
