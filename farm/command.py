"""The farm's command line: what each word takes, and what it does."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from .book import Book
from .events import Events
from .host import HostOptions
from .jobs import Job, JobsError, Line, Refusal, prepare, read_lines
from .lease import SECONDS
from .names import CANCELLED, DONE, FAILED
from .redo import redo
from .scenes import split
from .status import Meter, report, table
from .storage import Storage, StorageError

logger = logging.getLogger(__name__)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m farm", description="Many videos on many GPUs; see farm/README.md.")
    words = top.add_subparsers(dest="command", required=True)
    submit = _word(words, "submit", "read jobs, and work until all have ended")
    submit.add_argument("jobs", type=Path, help="a file with one job a line, as JSON")
    submit.add_argument("--workflow", type=Path, help="of jobs that name none: saved, or exported with Export (API)")
    submit.add_argument("--input", type=Path, help="where pictures are that the workflow names; ComfyUI's input folder")
    submit.add_argument("--no-work", action="store_true", help="leave the work to another call")
    work = _word(words, "work", "go on with all jobs that have not ended")
    for each in (submit, work):
        _add_workers(each)
    again = _word(words, "retry", "take back that jobs failed or were cancelled; work goes on with them")
    cancel = _word(words, "cancel", "stop jobs; their finished chunks stay")
    for each in (again, cancel):
        each.add_argument("names", nargs="+", metavar="name")
    _word(words, "status", "a table of all jobs").add_argument("--json", action="store_true")
    results = _word(words, "results", "a report with each job's seams")
    results.add_argument("--json", action="store_true", help="a line for each finished job")
    results.add_argument("--out", type=Path, help="a folder to fetch the finished files into")
    return top


def main(arguments: list[str], convert: Callable) -> int:
    """Do what a command line says; returns the exit code.

    Args:
        convert: makes a prompt of a saved workflow; see :func:`~farm.graph.read_prompt`.
    """
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING, format="%(message)s")
    try:
        storage = Storage(options.storage, options.storage_options, options.patience)
        return _obey(options, storage, Book(storage), convert)
    except (JobsError, StorageError) as error:
        print(error, file=sys.stderr)
        return 1


def _obey(options: argparse.Namespace, storage: Storage, book: Book, convert: Callable) -> int:
    if options.command in ("submit", "work"):
        return _work(options, storage, book, convert)
    if options.command == "cancel":
        return _tell_missing(options.names, book.cancel(options.names), "is not there, or has ended")
    if options.command == "retry":
        states = book.states()
        found = [name for name in options.names if states.get(name, {}).get("status") in (FAILED, CANCELLED)]
        for name in found:
            book.forget(name)
        return _tell_missing(options.names, found, "has not failed and was not cancelled")
    states = book.states()
    if options.command == "status":
        for text in map(json.dumps, states.values()) if options.json else [table(states.values())]:
            print(text)
        return 0
    return _results(options, storage, book)


def _work(options: argparse.Namespace, storage: Storage, book: Book, convert: Callable) -> int:
    refused, lines = [], []
    if options.command == "submit":
        for found in read_lines(options.jobs, options.workflow):
            (lines if isinstance(found, Line) else refused).append(found)
        _tell_refused(refused)
        if not lines:
            return 1
    from . import cluster
    from .driver import Driver, FarmOptions

    driver = None
    try:
        cluster.connect(options.address, options.patience, options.workers and options.workers * options.cpus)
        patience = (options.start, options.hang, options.stall)
        # Not what links lead to: on other machines they may lead elsewhere.
        python = os.path.abspath(options.python) if os.sep in options.python else options.python
        host = HostOptions(str(options.comfyui.absolute()), python, options.host_arguments, *patience)
        devices = cluster.devices()
        if not devices and options.gpus is None and "--cpu" not in host.words:
            words = "--gpus 1 waits for one, --host-arguments=--cpu does without."
            raise cluster.ClusterError(f"--gpus: the cluster has no GPU now. {words}")
        workers = options.workers or devices or 1
        gpus = min(1.0, devices) if options.gpus is None else options.gpus
        scratch = str(options.scratch.absolute())
        farm = FarmOptions(host, workers, options.cpus, gpus, options.resources, scratch, options.lease)
        events = Events(options.events, metrics=True)
        driver = Driver(storage, farm, events, cluster.own_version())
        if lines:
            folders = (options.input or options.comfyui / "input",)
            later = submit(lines, book, driver, convert, folders)
            _tell_refused(later)
            refused += later
            for each in refused:
                events.tell("refused", line=each.number, reason=each.reason)
        if not getattr(options, "no_work", False):
            meter = Meter()
            statuses = driver.drive(meter)
            meter.end()
            print(report(book))
            return 0 if set(statuses.values()) <= {DONE} and not refused else 1
        return 1 if refused else 0
    except cluster.ClusterError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        words = "Stopping: finished chunks are brought to the storage first. Go on with: python -m farm work"
        print(words, file=sys.stderr)
        return 130
    finally:
        with contextlib.suppress(KeyboardInterrupt):  # asked a second time, it does not wait for that
            if driver is not None:
                driver.close()
        cluster.disconnect()


def submit(lines: list[Line], book: Book, driver, convert: Callable, folders: tuple[Path, ...]) -> list[Refusal]:
    """Put the jobs of lines on the storage; those that cannot be, and why."""
    known, taken, refused = driver.object_info(), book.runs(), []
    for line in lines:
        try:
            job = prepare(line, known, convert, folders)
            jobs = redo(job, line, book.storage) if line.redo else [job]
            jobs = split(job, known, driver.ask) if line.scenes else jobs
            clashes = (book.clash(job) or _shared(job, taken) for job in jobs)
            why = next(filter(None, clashes), None) or next(filter(None, map(book.add, jobs)), None)
            taken |= {} if why else {run.lower(): job.name for job in jobs for run in job.runs}
        except ValueError as error:
            why = str(error)
        if why is not None:
            refused.append(Refusal(line.number, why))
    return refused


def _shared(job: Job, taken: dict[str, str]) -> str | None:
    """Why a job cannot be kept, where another has one of its runs."""
    for run in job.runs:
        other = taken.get(run.lower(), job.name)
        if other != job.name:
            return f"run_name: {run!r} is a run of {other} too. Each job has runs of its own."
    return None


def _tell_refused(refused: list[Refusal]) -> None:
    for each in refused:
        print(f"line {each.number}: {each.reason}", file=sys.stderr)


def _results(options: argparse.Namespace, storage: Storage, book: Book) -> int:
    names = [name for name, state in book.states().items() if state["status"] == DONE]
    found = [each for each in map(book.result, names) if each is not None]
    if options.json:
        for each in found:
            print(json.dumps(each))
    else:
        print(report(book))
    if options.out is not None:
        for each in found:
            for file in each["files"]:
                storage.download(options.out / each["name"] / file["name"], file["path"])
    return 0


def _tell_missing(asked: list[str], found: list[str], why: str) -> int:
    missing = [name for name in asked if name not in found]
    for name in missing:
        print(f"{name} {why}.", file=sys.stderr)
    return 1 if missing else 0


def _word(words, name: str, text: str) -> argparse.ArgumentParser:
    found = words.add_parser(name, help=text, description=text)
    found.add_argument("--storage", required=True, help="a folder all machines see, or any place that fsspec knows")
    found.add_argument(
        "--storage-options", type=_options, default={}, help='JSON, such as {"endpoint_url": "http://..."}'
    )
    found.add_argument("--patience", type=float, default=600.0, help="seconds that storage or cluster may be away")
    found.add_argument("--verbose", action="store_true")
    return found


def _add_workers(found: argparse.ArgumentParser) -> None:
    found.add_argument("--address", default="auto", help="of a Ray cluster: auto, host:port, or local for one here")
    found.add_argument("--comfyui", type=Path, required=True, help="ComfyUI's folder, the same on each machine")
    found.add_argument("--python", default=sys.executable, help="the interpreter that ComfyUI runs in")
    found.add_argument("--host-arguments", default="", help="for ComfyUI's own command line, such as --cpu")
    found.add_argument("--workers", type=int, help="how many; one for each GPU of the cluster without")
    found.add_argument("--cpus", type=float, default=1.0, help="of each worker, for Ray")
    found.add_argument("--gpus", type=float, help="of each worker, for Ray; 1 where the cluster has any")
    found.add_argument(
        "--resources", type=_numbers, default={}, help='of each worker, for Ray: JSON, such as {"big": 1}'
    )
    scratch = Path(tempfile.gettempdir(), "wan-farm")
    found.add_argument("--scratch", type=Path, default=scratch, help="a folder on each machine's own disk")
    found.add_argument("--lease", type=float, default=SECONDS, help="seconds until a silent worker's run is free")
    found.add_argument("--start", type=float, default=300.0, help="seconds in which ComfyUI must be up")
    found.add_argument("--hang", type=float, default=60.0, help="seconds in which ComfyUI must answer")
    found.add_argument(
        "--stall", type=float, default=7200.0, help="seconds in which ComfyUI must finish a chunk of a kept run"
    )
    found.add_argument("--events", type=Path, help="a file that gets a line of JSON for each event")


def _options(text: str) -> dict:
    """A JSON object of the command line."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"it is no JSON ({error})") from None
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError(f"expected a JSON object, got {text}")
    return found


def _numbers(text: str) -> dict[str, float]:
    """One whose values are numbers."""
    found = _options(text)
    for name, value in found.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise argparse.ArgumentTypeError(f"expected a number for {name}, got {value!r}")
    return found
