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
from wan_motion_chunks.tests.fakes import CausalVae, CountingModel, numbered_frames
from wan_motion_chunks.wan import ChunkState, GuideSettings, Tools, generate, plan_chunks
from wan_motion_chunks.wan.runs import files as run_files
from wan_motion_chunks.wan.runs.fingerprint import fingerprint_chunk
from wan_motion_chunks.wan.runs.store import NAME, load_run, open_run

TOTAL = 17 + 5 * 8
STEPS = ("save_file", "fsync", "replace")


def job(folder: Path) -> None:
    vae = CausalVae()
    plan = plan_chunks(TOTAL, chunk_frames=17, overlap_frames=9)
    state = ChunkState(plan, numbered_frames(0, 1), GuideSettings("overlap"))
    with open_run(folder, "run", fingerprint_chunk) as store:
        generate(state, Tools(vae, CountingModel(vae)), store)


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


def in_child(folder: Path, *, delay: float | None = None, step: int = 0, after: bool = False) -> bool:
    """Run the job in a child; says whether it was killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if step:
                die_at(step, after)
            job(folder)
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


def contents(folder: Path) -> list[str]:
    """Content digests of the whole chunks, in order."""
    return [kept.content for kept in load_run(folder, "run").kept]


def main(kills: int, seed: int) -> dict:
    torch.set_num_threads(1)
    draw = random.Random(seed)
    losses, killed = [], 0
    with tempfile.TemporaryDirectory() as temporary:
        reference = Path(temporary) / "reference"
        began = time.monotonic()
        in_child(reference)
        length = time.monotonic() - began
        expected = contents(reference)
        number, folder = 0, None
        while killed < kills:
            if folder is None or len(contents(folder)) == len(expected):
                number += 1
                folder = Path(temporary) / f"runs{number}"
            before = contents(folder) if folder.exists() else []
            if draw.random() < 0.5:
                killed += in_child(folder, delay=draw.uniform(0, length))
            else:
                killed += in_child(folder, step=draw.randint(1, 40), after=draw.random() < 0.5)
            left = contents(folder) if folder.exists() else []
            if left[: len(before)] != before or left != expected[: len(left)]:
                losses.append({"kill": killed, "before": before, "left": left})
        in_child(folder)
        if contents(folder) != expected:
            losses.append({"kill": "end", "left": contents(folder)})
        video = torch.cat(list(load_run(folder, "run").footage()))
        stray = [path.name for path in (folder / "run").iterdir() if path.name.startswith(NAME[:5])]
    return {
        "killed": killed,
        "runs": number,
        "losses": losses,
        "equal": torch.equal(video, numbered_frames(0, TOTAL)),
        "files": len(stray),
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
