# ruff: noqa: E402, T201  a script, which loads the pack before it is imported
"""Makes kept runs in children that are killed at random moments, and looks at what is left; run as a script.

Prints a JSON object: how many were killed, and every loss that was found.
"""

import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import run as loader

loader.load_pack()
import torch
from wan_motion_chunks.tests.wan.kept import long, make_long
from wan_motion_chunks.wan.runs import files as run_files
from wan_motion_chunks.wan.runs.files import ChunkFileError, read_facts, read_whole
from wan_motion_chunks.wan.runs.load import load_run
from wan_motion_chunks.wan.runs.takes import Takes

JOBS = {
    "plain": {},
    "from another picture": {"first": 3},
    "varied": {"vary_from": 2, "variation": 1},
    "one made again": {"vary_from": 1, "variation": 2, "keep_later": True},
}


def job(folder: Path, name: str, stop_after: int | None = None) -> None:
    make_long(folder, long(**JOBS[name]), stop_after)


def die_at(step: int, after: bool) -> None:
    """Kill this process at one of its writes: before it or right after."""
    done = 0

    def watched(real):
        def call(*arguments, **more):
            nonlocal done
            done += 1
            if done == step and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments, **more)
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    run_files.save_file = watched(run_files.save_file)
    os.fsync, os.replace = watched(os.fsync), watched(os.replace)


def in_child(
    folder: Path, name: str, stop_after: int | None, *, delay: float | None = None, step: int = 0, after: bool = False
) -> bool:
    """Run a job in a child; says whether it was killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if step:
                die_at(step, after)
            job(folder, name, stop_after)
            code = 0
        finally:
            os._exit(code)
    if delay is not None:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
        raise RuntimeError("The job failed by itself.")
    return os.WIFSIGNALED(status)


def contents(folder: Path) -> dict[str, str]:
    """Content digests of the whole takes by name."""
    found = {}
    for take in Takes(folder / "run"):
        path = folder / "run" / take.name
        try:
            known = read_facts(path)
            if known is not None:
                read_whole(path, *known)
                found[take.name] = known[1]
        except ChunkFileError:
            continue
    return found


def video(folder: Path) -> torch.Tensor:
    """What Load Run shows."""
    frames = list(load_run(folder, "run").footage())
    return torch.cat(frames) if frames else torch.empty(0)


def main(kills: int, seed: int) -> dict:
    torch.set_num_threads(1)
    draw = random.Random(seed)
    losses, killed, number, videos = [], 0, 0, {}
    with tempfile.TemporaryDirectory() as temporary:
        reference, folder = Path(temporary) / "reference", None
        for name in JOBS:
            began = time.monotonic()
            in_child(reference, name, None)
            length = time.monotonic() - began
            videos[name] = video(reference)
        takes = len(contents(reference))
        whole = set()
        while killed < kills:
            if folder is None or len(whole) == len(JOBS):
                number, whole = number + 1, set()
                folder = Path(temporary) / f"runs{number}"
            before = contents(folder)
            # One is made again only where there is one.
            name = draw.choice([name for name in JOBS if "plain" in whole or name != "one made again"])
            stop_after = draw.choice([None, None, 1, 2])
            if draw.random() < 0.5:
                dead = in_child(folder, name, stop_after, delay=draw.uniform(0, length))
            else:
                dead = in_child(folder, name, stop_after, step=draw.randint(1, 40), after=draw.random() < 0.5)
            killed += dead
            left = contents(folder)
            if not before.items() <= left.items():
                losses.append({"kill": killed, "job": name, "before": before, "left": left})
            shown = video(folder)
            if not dead and not torch.equal(shown, videos[name][: len(shown)]):
                losses.append({"kill": killed, "job": name, "shown": len(shown)})
            if not dead and len(shown) == len(videos[name]):
                whole.add(name)
        equal = []
        for name in JOBS:
            in_child(folder, name, None)
            equal.append(torch.equal(video(folder), videos[name]))
        files = len(contents(folder))
    return {"killed": killed, "runs": number, "losses": losses, "equal": all(equal), "files": files, "takes": takes}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
