"""How much work pre-emption wastes, by a simulation of events: ``python -m farm.simulation``.

Workers are taken away at random and given back after a while. What a job had made of the chunk in work is lost with its
worker; without kept runs all of its chunks are.
"""

from __future__ import annotations

import argparse
import heapq
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A farm and its work; all times in seconds."""

    jobs: int = 1000
    workers: int = 64
    chunks: int = 20
    """Of a job."""
    chunk: float = 30.0
    """To make one."""
    lasts: float = 600.0
    """How long a worker is there, on average; exponentially distributed."""
    back: float = 120.0
    """Until another is there in its place."""
    load: float = 60.0
    """To start ComfyUI and load the models."""
    fetch: float = 0.2
    """To fetch a kept chunk or to bring it to the storage."""
    lease: float = 60.0
    """Until the run of a lost worker is free."""
    kept: bool = True
    """Whether finished chunks stay."""
    most: float = 30 * 86400.0
    """After which the simulation ends, whatever is done."""


@dataclass
class Outcome:
    """What a simulated farm did; seconds are of all workers together."""

    finished: int = 0
    useful: float = 0.0
    """Making chunks that are in a finished video."""
    lost: float = 0.0
    """Making chunks that were lost."""
    other: float = 0.0
    """Loading, fetching, waiting for a lease."""
    span: float = 0.0
    """From the first job to the last."""

    @property
    def wasted(self) -> float:
        """The share of all chunk making that was lost."""
        return self.lost / max(1e-9, self.lost + self.useful)


def simulate(case: Case, seed: int = 0) -> Outcome:
    """Run a farm until all jobs are done or time is over."""
    chance, found = random.Random(seed), Outcome()
    made = [0] * case.jobs
    waiting = [(0.0, job) for job in range(case.jobs)]  # with the moment at which it is free
    # One entry for each worker: when it is free, its number, when it is taken away, whether its models are loaded.
    workers = [(0.0, number, chance.expovariate(1 / case.lasts), False) for number in range(case.workers)]
    heapq.heapify(workers)
    while waiting and workers:
        now, number, end, loaded = heapq.heappop(workers)
        if now > case.most:
            break
        free, job = waiting[0]
        if free > now or end <= now:
            if end <= max(now, free):
                start = end + case.back
                entry = (start, number, start + chance.expovariate(1 / case.lasts), False)
            else:
                entry = (free, number, end, loaded)
            heapq.heappush(workers, entry)
            continue
        heapq.heappop(waiting)
        at = now + (0.0 if loaded else case.load) + case.fetch * made[job]
        began = made[job]
        while at < end and made[job] < case.chunks:
            step = case.chunk + (case.fetch if case.kept else 0.0)
            if at + step > end:
                break
            at += step
            made[job] += 1
        done = made[job] - began
        if made[job] == case.chunks:
            found.finished += 1
            found.useful += case.chunk * case.chunks
            found.other += at - now - case.chunk * done
            found.span = max(found.span, at)
            heapq.heappush(workers, (at, number, end, True))
            continue
        partial = min(max(0.0, end - at), case.chunk)
        found.lost += partial if case.kept else partial + case.chunk * done
        found.other += max(0.0, end - now - case.chunk * done - partial)
        made[job] = made[job] if case.kept else 0
        heapq.heappush(waiting, (end + (case.lease if case.kept else 0.0), job))
        start = end + case.back
        heapq.heappush(workers, (start, number, start + chance.expovariate(1 / case.lasts), False))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m farm.simulation", description=(__doc__ or "").splitlines()[0])
    for name, default in (("jobs", 1000), ("workers", 64), ("chunks", 20), ("seeds", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--lasts", type=float, default=600.0, help="seconds until a worker is taken away, on average")
    options = parser.parse_args()
    print(f"{options.jobs} jobs of {options.chunks} chunks on {options.workers} workers; one lasts {options.lasts:g} s")
    print(f"{'chunk, s':>8}  {'kept':>4}  {'finished':>8}  {'wasted':>7}  {'span, h':>8}")
    for chunk in (30.0, 60.0, 120.0):
        for kept in (False, True):
            found = [
                simulate(Case(options.jobs, options.workers, options.chunks, chunk, options.lasts, kept=kept), seed)
                for seed in range(options.seeds)
            ]
            finished, wasted = min(each.finished for each in found), sum(each.wasted for each in found) / len(found)
            span = sum(each.span for each in found) / len(found) / 3600
            print(f"{chunk:8g}  {'yes' if kept else 'no':>4}  {finished:8d}  {100 * wasted:6.1f}%  {span:8.1f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
