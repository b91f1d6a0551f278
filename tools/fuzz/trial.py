"""A scenario tried in the host, and what must hold in every one."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace

from .catalog import CARRIED
from .control import control
from .files import Watch
from .host import Host
from .outcome import BAD, HOST, INVALID, MADE, REFUSED, Outcome, difference
from .scenario import KEEP, LOAD, Scenario, is_comparable, is_kept, renamed
from .sinks import PREFIX
from .verdict import FAULT, FINE, REMADE, UNSTEADY, FaultFound, UnsteadyError, Verdict

RUNS = "wan_motion_runs"
TIMES = 3
"""How often the same is queued again after a file was lost: the message may ask for it."""


class Trial:
    """One scenario in a host, from a clean output folder and an empty cache on."""

    def __init__(self, host: Host, watch: Watch, scenario: Scenario):
        self.host, self.watch, self.scenario = host, watch, scenario
        self.outcomes: list[tuple[str, Outcome]] = []
        self.fresh_runs, self.remade = 0, False

    def verdict(self) -> Verdict:
        kind, step, words = FINE, "", ""
        try:
            self.clean()
            self._all()
            self._host_is_well()
            kind = REMADE if self.remade else FINE
        except FaultFound as error:
            kind, step, words = FAULT, error.step, error.words
        except UnsteadyError as error:
            kind, words = UNSTEADY, str(error)
        return Verdict(kind, step, words, self.outcomes)

    def clean(self) -> None:
        self.host.forget()
        self._clear("output/fuzz", f"output/{RUNS}", "temp")

    def _clear(self, *folders: str) -> None:
        for folder in folders:
            for path in (self.host.base / folder).glob("*"):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def _kept(self) -> dict:
        """What is kept, by path: when it was written."""
        return {
            str(path): path.stat().st_mtime_ns for path in (self.host.base / "output" / RUNS).rglob("*.safetensors")
        }

    def _all(self) -> None:
        plan = self.scenario
        sudden = plan.event if plan.event in ("interrupt", "kill") else None
        if sudden and plan.early:
            self._run(f"first, {sudden}", plan.before, **{sudden: plan.delay})
        first = self._run("first", plan.before)
        if first.kind in (HOST, INVALID):
            return
        if plan.event == "restart":
            self.host.restart()
        elif plan.event == "loss":
            self._lose()
        elif sudden and not plan.early:
            self._run(f"second, {sudden}", plan.after, **{sudden: plan.delay})
        kept = self._kept()
        second = self._run("second", plan.after)
        same = plan.event == "restart" and plan.before == plan.after and first.kind == MADE
        self.remade = same and self._kept() != kept and is_kept(self.host.catalog, plan.after)
        if plan.event == "loss" and second.kind == REFUSED:
            second = self._again(second)
        self._is_fresh("second", plan.after, second)
        if plan.load and second.kind == MADE:
            self._is_loaded(second)
        if plan.back:
            self._is_fresh("back", plan.before, self._run("back", plan.before), first)

    def _run(self, step: str, prompt: dict, **event: float) -> Outcome:
        outcome = self.host.run(prompt, **event)
        if outcome.deep:
            outcome = self._against_host(prompt, outcome)
        self.outcomes.append((step, outcome))
        if outcome.kind in BAD:
            raise FaultFound(step, str(outcome))
        return outcome

    def _against_host(self, prompt: dict, outcome: Outcome) -> Outcome:
        """An error that came from below one of our samplers is the host's if its own sampler fails alike."""
        plain = control(self.host.catalog, prompt, outcome.node_type)
        if plain is None:
            return outcome
        there = self.host.run(plain)
        error = outcome.detail.split(": ")[1]
        return replace(outcome, kind=HOST) if there.kind == HOST and f" {error}: " in there.detail else outcome

    def _is_fresh(self, step: str, prompt: dict, got: Outcome, known: Outcome | None = None) -> None:
        """Compare with a run that nothing is kept of: ``known`` if that is equal, else a new one."""
        if got.kind not in (MADE, REFUSED) or not is_comparable(self.host.catalog, prompt):
            return
        if self.scenario.event == "interrupt" and any(node["class_type"] in CARRIED for node in prompt.values()):
            return
        if known is not None and not difference(got, known):
            return
        fresh = self._fresh(prompt)
        found = difference(got, fresh)
        if not found:
            return
        unsteady = difference(self._fresh(prompt), fresh)
        if unsteady:
            raise UnsteadyError(f"two fresh runs differ: {unsteady}")
        raise FaultFound(step, f"differs from a fresh run: {found}")

    def _fresh(self, prompt: dict) -> Outcome:
        self.fresh_runs += 1
        self.host.forget()
        self._clear("temp")  # a run without Keep Run may be there
        return self._run("fresh", renamed(prompt, self.scenario.run_name, f"fresh-{self.fresh_runs}"))

    def _again(self, outcome: Outcome) -> Outcome:
        for _ in range(TIMES - 1):
            outcome = self._run("second, again", self.scenario.after)
            if outcome.kind != REFUSED:
                break
        return outcome

    def _lose(self) -> None:
        """Take one file of the run away."""
        files = sorted((self.host.base / "output" / RUNS).rglob("*.safetensors"))
        if files:
            random.Random(self.scenario.delay).choice(files).unlink()

    def _is_loaded(self, made: Outcome) -> None:
        """What Load Run gives of a video that was just made is that video."""
        after = self.scenario.after
        keepers = [number for number, node in after.items() if node["class_type"] == KEEP]
        users = [number for number, node in after.items() if node["inputs"].get("run") in [[n, 0] for n in keepers]]
        saved = [number for number in made.made if after[number]["inputs"].get("images", [""])[0] in users]
        if len(users) != 1 or not saved or not is_comparable(self.host.catalog, after):
            return
        (name,) = [after[number]["inputs"]["run_name"] for number in keepers][:1]
        if name != self.scenario.run_name:
            return
        load = {"class_type": LOAD, "inputs": {"run_name": name, "fps": 16.0, "frames_in_memory": True}}
        save = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": PREFIX}}
        loaded = self._run("load", {"1": load, saved[0]: save})
        found = difference(loaded, replace(made, made={saved[0]: made.made[saved[0]]}))
        if found:
            raise FaultFound("load", f"differs from the video that was made: {found}")

    def _host_is_well(self) -> None:
        if not self.host.answers():
            raise FaultFound("end", "the host does not answer, or has something queued")
        names = {self.scenario.run_name, *(f"fresh-{number + 1}" for number in range(self.fresh_runs))}
        strange = self.watch.strange(names)
        if strange:
            raise FaultFound("end", f"files outside: {', '.join(strange[:5])}")
