"""What changes while it runs, and what nobody can read: live objects from job to job."""

import copy
import gc
import threading
import types
import weakref

import pytest
import torch
from wan_motion_chunks.wan.identity import identify, live, walk


def averaging(momentum):
    """Core's APG: a function that keeps a running average in its closure."""
    average, calls = 0, []

    def function(value):
        nonlocal average
        average = momentum * average + value
        calls.append(value)
        return average

    return function


class Counter:
    """A callable object that counts, as caches and step schedules do."""

    def __init__(self, strength):
        self.strength, self._step, self.cache = strength, 0, {}

    def __call__(self, value):
        self._step += 1
        self.cache[self._step] = Part(value)
        return value * self.strength


class Part:
    def __init__(self, value):
        self.value = value


class Nested:
    """An object that runs another."""

    def __init__(self, strength):
        self.inner = Counter(strength)
        self.inner.owner = self

    def __call__(self, value):
        return self.inner(value)


total = 0


def counting(strength):
    def function(value):
        global total
        total += strength
        return value

    return function


def module(strength):
    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.zeros(2))
            self.scale = strength

        def forward(self, value):
            self.seen += value
            return value * self.scale

    return Layer()


MAKERS = {
    "a closure": averaging,
    "an object": Counter,
    "an object in an object": Nested,
    "a global": counting,
    "a module": module,
    "a bound method": lambda strength: Counter(strength).__call__,
    "a function around one": lambda strength: (lambda held: lambda value: held(value))(averaging(strength)),
}


def options(patch):
    return {"transformer_options": {"wrappers": {"sampler": [patch]}}}


@pytest.fixture(autouse=True)
def _no_job_before():
    live.leave()
    yield
    live.leave()


@pytest.mark.parametrize("maker", MAKERS)
def test_what_a_job_changed_by_running_is_not_seen(maker, monkeypatch):
    monkeypatch.setitem(counting.__globals__, "total", 0)
    held = options(MAKERS[maker](0.5))
    patch = held["transformer_options"]["wrappers"]["sampler"][0]
    first = identify(held)
    for _ in range(3):
        assert identify(held) == first
        patch(1.5)
        live.leave()
    monkeypatch.setitem(counting.__globals__, "total", 0)
    fresh = identify(options(MAKERS[maker](0.5)))  # as in another process
    assert identify(held).digest == first.digest == fresh.digest
    assert identify(options(MAKERS[maker](0.6))).digest != first.digest


@pytest.mark.parametrize("maker", MAKERS)
def test_what_ran_outside_of_a_job_is_seen(maker):
    held = options(MAKERS[maker](0.5))
    patch = held["transformer_options"]["wrappers"]["sampler"][0]
    first = identify(held)
    patch(1.5)
    live.leave()
    patch(1.5)
    assert identify(held).digest != first.digest


def test_what_somebody_sets_between_two_jobs_is_seen_and_seen_back():
    counter = Counter(0.5)
    first = identify(counter)
    counter(1.0)
    live.leave()
    counter.strength = 0.7
    assert identify(counter).digest != first.digest
    live.leave()
    nested = Nested(0.5)
    first = identify(nested)
    nested(1.0)
    live.leave()
    nested.inner.strength = 0.7
    changed = identify(nested)
    assert changed.digest != first.digest
    live.leave()
    assert identify(nested) == changed


def test_a_copy_of_what_never_ran_is_what_it_is_a_copy_of():
    # ModelPatcher.clone copies objects among model_options; functions stay the same.
    held = options(Counter(0.5))
    first = identify(held)
    clone = copy.deepcopy(held)
    assert identify(clone) == first
    clone["transformer_options"]["wrappers"]["sampler"][0](1.0)
    live.leave()
    assert identify(clone) == identify(held) == identify(copy.deepcopy(held)) == first


def test_an_object_that_ran_and_is_gone_leaves_nothing_behind():
    for strength in (0.5, 0.6, 0.5):
        counter = Counter(strength)
        seen = identify(counter)
        counter(1.0)
        live.leave()
        gone = weakref.ref(counter)
        del counter
        gc.collect()
        assert gone() is None
        assert seen == identify(Counter(strength))


def steps():
    yield 1


class Raising(dict):
    def items(self):
        raise OSError("the drive is gone")


class RaisingList(list):
    def __iter__(self):
        raise AssertionError


def dead_proxy():
    return weakref.proxy(Counter(0.5))


UNKNOWN = {
    "lock": threading.Lock,
    "generator": steps,
    "Generator": torch.Generator,
    "local": lambda: type("local", (threading.local,), {})(),
    "object": lambda: types.SimpleNamespace(lock=threading.RLock()),
    "Raising": Raising,
    "RaisingList": RaisingList,
    "CallableProxyType": dead_proxy,
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_cannot_be_read_is_named_and_bound_to_the_live_object(name):
    one, other = UNKNOWN[name](), UNKNOWN[name]()
    seen = [identify(options(value)) for value in (one, one, other)]
    assert seen[0] == seen[1]
    assert seen[0].digest == seen[2].digest
    assert "" != seen[0].token != seen[2].token != ""
    (words,) = seen[0].unknown
    kind, _, place = words.partition(" at ")
    assert kind in (name, "RLock")
    assert place.startswith("transformer_options.wrappers.sampler[0]")


class InterruptProcessingException(Exception):
    pass


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt, InterruptProcessingException, MemoryError, torch.OutOfMemoryError]
)
def test_errors_that_say_nothing_of_a_value_are_raised(error):
    class Interrupted(dict):
        def items(self):
            raise error

    with pytest.raises(error):
        identify(options(Interrupted()))
    with pytest.raises(error):
        identify(options(types.SimpleNamespace(held=Interrupted())))


def test_a_value_that_raises_hides_nothing_beside_it():
    broken = Raising()
    seen = [identify([broken, value]) for value in (1, 1, 2)]
    assert seen[0] == seen[1]
    assert seen[0].digest != seen[2].digest


def test_a_model_that_cannot_be_read_is_unknown():
    weights = torch.nn.Linear(2, 2)
    for held in ({}, {"backup": 3}):
        made = types.SimpleNamespace(model=weights, patches={}, object_patches={}, model_options={}, **held)
        seen = identify(made)
        assert seen.unknown
        live.leave()
        assert identify(made) == seen


def test_an_object_of_c_with_attributes_is_unknown_and_its_attributes_are_seen():
    made = []
    for value in (1, 2):
        each = UNKNOWN["local"]()
        each.strength = value
        made.append(identify(each))
    assert all(each.unknown for each in made)


def test_what_is_unknown_is_named_once_and_all_of_it_is_in_the_token():
    one, two, three = (threading.Lock() for _ in range(3))
    assert len(identify([one], [one, two]).unknown) == 2
    assert len({identify({one, two}).token, identify({one, three}).token}) == 2


def test_what_is_too_much_to_look_at_is_unknown(monkeypatch):
    monkeypatch.setattr(walk, "MOST", 2000)
    chains = [None, None]
    for at in range(2):
        for _ in range(1000):
            chains[at] = Part([chains[at]])
    seen = [identify(chain) for chain in (chains[0], chains[0], chains[1])]
    assert seen[0] == seen[1]
    assert seen[0].unknown
    assert seen[0].token != seen[2].token
    live.leave()
    assert identify(chains[0]) == seen[0]
    deep = 1
    for _ in range(500):
        deep = [deep]
    assert identify(deep).unknown
    assert identify(deep) == identify(deep)


def test_an_object_that_cannot_be_looked_into_is_unknown():
    broken = torch.nn.Linear(2, 2)
    broken._parameters = 3
    assert identify(options(broken)).unknown
    live.leave()
    assert identify(options(broken)) == identify(options(broken))
