"""``python dev.py fuzz``: random graphs in a real ComfyUI, and what was wrong."""

from __future__ import annotations

import argparse
import itertools
import re
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .files import Watch
from .host import Host
from .outcome import HOST, INVALID, MADE
from .scenario import Scenario, draw, read_scenario
from .shrink import shrink
from .trial import Trial
from .verdict import FAULT, FINE, Verdict

ATTEMPTS, MOST_DRAWN = 4, 1000
"""How often a graph that makes nothing is drawn anew; how many drawings ``--having`` looks through."""


@dataclass
class Tally:
    """All that was tried."""

    first: Counter = field(default_factory=Counter)
    """How the first prompts went."""
    all: Counter = field(default_factory=Counter)
    """How all prompts went."""
    verdicts: Counter = field(default_factory=Counter)
    refused_by_host: Counter = field(default_factory=Counter)
    """By kind of node."""
    faults: dict[str, list[int]] = field(default_factory=dict)
    """Indices by what was wrong."""

    noted: dict[str, list[int]] = field(default_factory=dict)
    """Indices by what was no fault but worth a look."""

    def add(self, index: int, verdict: Verdict) -> None:
        if verdict.kind not in (FINE, FAULT):
            self.noted.setdefault(verdict.kind, []).append(index)
        self.verdicts[verdict.kind] += 1
        self.first[verdict.first] += 1
        for _, outcome in verdict.outcomes:
            self.all[outcome.kind] += 1

    def summary(self, seed: int, seconds: float) -> str:
        prompts = ", ".join(f"{count} {kind}" for kind, count in self.all.most_common())
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.verdicts.most_common())
        return f"fuzz: {self.verdicts.total()} graphs of seed {seed} in {seconds:.0f} s: {kinds}; prompts: {prompts}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py fuzz", description=__doc__)
    parser.add_argument("--graphs", type=int, default=30, help="how many (30)")
    parser.add_argument("--seed", type=int, default=0, help="another seed is other graphs (0)")
    parser.add_argument("--begin", type=int, default=0, help="index of the first (0)")
    parser.add_argument("--only", type=int, help="this graph alone")
    parser.add_argument("--having", help="graphs alone whose line of JSON has these words, such as ContextWindows")
    parser.add_argument("--again", type=Path, help="a file with the line that a failing graph was printed as")
    parser.add_argument("--bound", type=float, default=90, help="seconds that a prompt may take (90)")
    parser.add_argument("--shrink", type=float, default=90, help="seconds to make a failing graph smaller (90)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no graph after so many")
    parser.add_argument("--verbose", action="store_true", help="a line for each graph")
    options = parser.parse_args(arguments)
    indices = range(options.begin, options.begin + options.graphs) if options.only is None else [options.only]
    began, tally = time.monotonic(), Tally()
    with tempfile.TemporaryDirectory(prefix="wan-motion-fuzz-") as folder, Host(Path(folder), options.bound) as host:
        watch = Watch(host)
        if options.again:
            verdict = Trial(host, watch, read_scenario(options.again.read_text(encoding="utf-8"))).verdict()
            _show(options.again.name, verdict, verbose=True)
            return int(verdict.kind == FAULT)
        for index in indices:
            if time.monotonic() - began > options.seconds:
                break
            scenario, verdict = _try(host, watch, options, index, tally)
            tally.add(index, verdict)
            if verdict.kind not in (FINE, FAULT) and options.verbose:
                print(scenario.text())
            _show(f"{index} ({scenario.said}; {scenario.event})", verdict, options.verbose)
            if verdict.kind == FAULT:
                _report(host, watch, scenario, verdict, options, tally, index)
    for signature, found in tally.faults.items():
        print(f"FAULT {signature}: graphs {', '.join(map(str, found))}")
    if options.verbose:
        for kind, found in tally.noted.items():
            print(f"{kind}: graphs {', '.join(map(str, found))}")
        print("refused by the host:", ", ".join(f"{name} {n}" for name, n in tally.refused_by_host.most_common()))
    print(tally.summary(options.seed, time.monotonic() - began))
    return int(bool(tally.faults))


def _try(host: Host, watch: Watch, options, index: int, tally: Tally) -> tuple[Scenario, Verdict]:
    """The first attempt that makes something, or the last."""
    drawn = (draw(host.catalog, options.seed, index, attempt) for attempt in range(MOST_DRAWN))
    wanted = (each for each in drawn if not options.having or options.having in each.text())
    found = None
    for scenario in itertools.islice(wanted, ATTEMPTS):
        verdict = Trial(host, watch, scenario).verdict()
        found = scenario, verdict
        if verdict.kind == FAULT or verdict.first == MADE:
            break
        if verdict.first in (HOST, INVALID):
            tally.refused_by_host[verdict.outcomes[0][1].node_type or INVALID] += 1
    if found is None:
        raise SystemExit(f"--having: of {MOST_DRAWN} graphs of index {index} none has {options.having}")
    return found


def _report(host: Host, watch: Watch, scenario: Scenario, verdict: Verdict, options, tally: Tally, index: int) -> None:
    """Print a failing graph, made small, unless one like it was printed."""
    signature = _signature(scenario, verdict)
    tally.faults.setdefault(signature, []).append(index)
    if len(tally.faults[signature]) > 1:
        return

    def fails(candidate: Scenario) -> bool:
        found = Trial(host, watch, candidate).verdict()
        return found.kind == FAULT and _signature(candidate, found) == signature

    again = fails(scenario)
    small = shrink(host.catalog, scenario, fails, options.shrink) if again else scenario
    words = verdict.words if again else f"{verdict.words} (not when tried again)"
    print(f"\nFAULT seed {options.seed}, graph {index}, step {verdict.step}: {words}")
    print(f"changed: {small.said}; event: {small.event}")
    print(small.text(), flush=True)


def _signature(scenario: Scenario, verdict: Verdict) -> str:
    """Faults of one signature are taken for one fault."""
    changed = "" if verdict.step.startswith("first") else scenario.said.partition(":")[0]
    words = re.sub(r"\d[\d.e+-]*|'[^']*'", "#", verdict.words)[:70]
    return f"[{changed or verdict.step}] {words}"


def _show(name: str, verdict: Verdict, verbose: bool) -> None:
    if verbose:
        steps = "; ".join(f"{step}: {str(outcome)[:160]} {outcome.seconds:.1f} s" for step, outcome in verdict.outcomes)
        print(f"{name}: {verdict.kind} {verdict.words[:300]} | {steps}", flush=True)
