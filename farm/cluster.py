"""The Ray cluster: found, or started on this machine."""

from __future__ import annotations

import logging
import os
import re
import socket
import time
from pathlib import Path

logger = logging.getLogger(__name__)

LONGEST_PAUSE = 10.0
STARTS = 3
STORE = 100 * 2**20
"""Bytes of Ray's object store on one machine: what goes through it is small."""


class ClusterError(RuntimeError):
    """There is no cluster where one was expected."""


def connect(address: str, patience: float = 120.0, cpus: float | None = None) -> None:
    """Connect to a cluster, or start one of this machine's own for ``local``.

    Args:
        patience: seconds in which a cluster must be there; one that restarts takes a while.
        cpus: of a local one; None takes all that there are.

    Raises:
        ClusterError: if it is not.
    """
    os.environ.setdefault("RAY_DISABLE_MEMORY_MONITOR", "1")  # a ComfyUI may take most of the memory
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's 15 would have ComfyUI wait for whatever else there is
    import ray

    if address == "local":
        _start(None if cpus is None else max(1, int(cpus)))
        return
    pause, until = 1.0, time.monotonic() + patience
    while True:
        try:
            _knock(address)
            ray.init(address=address, logging_level=logging.WARNING)
            return
        except (OSError, RuntimeError) as error:
            if time.monotonic() + pause > until:
                words = f"--address: no Ray cluster answers at {address!r} in {patience:g} s: {error}"
                raise ClusterError(words) from error
            logger.warning("No cluster at %s yet, tried again in %.0f s: %s", address, pause, error)
        ray.shutdown()
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _start(cpus: int | None) -> None:
    """Start a Ray of this machine's own; on a busy one it takes longer than Ray waits."""
    import ray

    for left in reversed(range(STARTS)):
        try:
            ray.init(
                address="local",
                num_cpus=cpus,
                include_dashboard=False,
                object_store_memory=STORE,
                logging_level=logging.WARNING,
            )
            return
        except Exception as error:  # Ray raises no kind of its own
            ray.shutdown()
            if "timed out" not in str(error):
                raise
            if not left:
                raise ClusterError(f"--address: Ray did not start here in {STARTS} tries: {error}") from error


def _knock(address: str) -> None:
    """Raise OSError unless somebody listens at an address: Ray itself takes minutes to find that out."""
    found = re.fullmatch(r"([^:/]+):([0-9]+)", address)
    if found is not None:
        socket.create_connection((found[1], int(found[2])), 5).close()


def disconnect() -> None:
    """Leave the cluster; one that was started here ends."""
    import ray

    ray.shutdown()


def devices() -> int:
    """How many GPUs the cluster has."""
    import ray

    return int(ray.cluster_resources().get("GPU", 0))


def own_version() -> str:
    """The version of the pack that this farm belongs to."""
    project = Path(__file__).resolve().parents[1] / "pyproject.toml"
    found = re.search(r'^version = "([^"]+)"', project.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None  # the project has one
    return found[1]
