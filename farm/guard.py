"""Runs a command until it ends, or until whoever started this is gone: then it and all that it started are ended.

A worker that is killed cannot end its ComfyUI, which would hold the GPU. This process sees its end of a pipe close.
Runs as a script of its own: ``python -c SOURCE command ...``.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE = 5.0
"""Seconds from being asked to end to being killed."""


def die_with_parent() -> None:
    """Have Linux kill this process when the guard is gone, however it went."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def main() -> int:
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_parent)

    def tell(*numbers: int) -> None:
        for number in numbers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, number)

    def watch() -> None:
        sys.stdin.buffer.read()  # until the other end is closed
        ended.set()

    def finish() -> None:
        ended.wait()
        tell(signal.SIGTERM, signal.SIGCONT)  # one that is stopped hears the first only then
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE)
        tell(signal.SIGKILL)

    for each in (watch, finish):
        threading.Thread(target=each, daemon=True).start()
    code = child.wait()
    tell(signal.SIGKILL)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
