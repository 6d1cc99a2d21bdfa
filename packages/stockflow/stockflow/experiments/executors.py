"""Where calls are run: in this process, in several, or on a Dask cluster; lost workers are survived."""

from __future__ import annotations

import os
import pickle
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from threading import Thread
from time import perf_counter
from typing import Any

import numpy as np

from stockflow.errors import ExperimentError, ParameterError, extra
from stockflow.persons import bar

LAST = 0.15  # seconds a batch is meant to take, so that sending it (some ms) does not count
KILLS = 3  # workers a call may cost before it is given up
ADDRESS = re.compile(r"(tcp|tls|ucx|wss?|inproc)://.+")


@dataclass(frozen=True)
class Task:
    """One call: its place in the table, its parameters, its stream, and whether the function takes a stream."""

    row: int
    replicate: int
    parameters: dict[str, Any]
    seed: np.random.SeedSequence
    streams: bool

    @property
    def words(self) -> str:
        """Which call it is, and how to repeat it."""
        values = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        seed = f"SeedSequence({self.seed.entropy}, spawn_key={self.seed.spawn_key})"
        return f"row {self.row} ({values}), replicate {self.replicate}, seed {seed}"

    def call(self, fn: Callable[..., Any]) -> Any:
        """Call the function; what it raises carries a note that names the call."""
        try:
            return fn(**self.parameters, **({"seed": self.seed} if self.streams else {}))
        except Exception as error:
            error.add_note(f"in {self.words}")
            raise


@dataclass(frozen=True)
class _Failure:
    error: Exception


def results(fn: Callable[..., Any], tasks: list[Task], executor: Any, *, progress: bool, **options: Any) -> list[Any]:
    """Return what each call returned, in the order of the tasks."""
    with bar(len(tasks), progress, "call") as advance:
        if executor == "serial":
            found = []
            for task in tasks:
                found.append(task.call(fn))
                advance(1)
            return found
        with _opened(executor, **options) as pool:
            return _Run(fn, tasks, pool, advance).all()


class _Run:
    """The calls of one experiment on one pool: batches out, results in, lost batches again."""

    def __init__(self, fn: Callable, tasks: list[Task], pool: _Processes | _Cluster, advance: Callable) -> None:
        with extra("experiments"):
            import cloudpickle  # what Dask sends functions with: those of a notebook too

        self.payload = cloudpickle.dumps(fn)
        self.tasks, self.pool, self.advance = tasks, pool, advance
        self.found: dict[int, Any] = {}
        self.under_way: dict[Future, list[int]] = {}
        self.waiting, self.size = deque(range(len(tasks))), 1

    def all(self) -> list[Any]:
        while self.waiting or self.under_way:
            while self.waiting and len(self.under_way) < 2 * self.pool.width:
                self._send([self.waiting.popleft() for _ in range(min(self.size, len(self.waiting)))])
            done, _ = wait(self.under_way, return_when=FIRST_COMPLETED)
            lost = [batch for future in done if (batch := self._take(future))]
            if lost:
                self._again(lost)
            failed = [number for number, value in self.found.items() if isinstance(value, _Failure)]
            if failed:  # finish what stands before it: the first failure is the same on every executor
                self.waiting = deque(number for number in self.waiting if number < min(failed))
                if not self.waiting and not self.under_way:
                    raise self.found[min(failed)].error
        return [self.found[number] for number in range(len(self.tasks))]

    def _send(self, batch: list[int]) -> Future:
        future = self.pool.submit(_work, self.payload, [self.tasks[number] for number in batch])
        self.under_way[future] = batch
        return future

    def _take(self, future: Future) -> list[int]:
        """Keep a batch's results and learn from its time; return the batch where its worker was lost."""
        batch = self.under_way.pop(future)
        try:
            values, seconds = future.result()
        except self.pool.losses:
            return batch
        except CancelledError as error:
            why = "the call was cancelled, as when its scheduler is stopped; allowed: a scheduler that stays"
            raise ExperimentError(f"{self.tasks[batch[0]].words}: {why}.") from error
        self.found.update(zip(batch, values, strict=False))  # it stops after a failure, or when it lasts too long
        if not isinstance(values[-1], _Failure):
            self.waiting.extendleft(reversed(batch[len(values) :]))
        self.advance(len(values))
        self.size = min(max(1, ceil(LAST * len(values) / max(seconds, 1e-6))), 4 * self.size)
        return []

    def _again(self, lost: list[list[int]]) -> None:
        """Run the calls that lost their worker one at a time, so that the one that kills it can be named."""
        if self.pool.all_lost:  # one death breaks every batch of the pool
            wait(self.under_way)
            lost += [batch for future in list(self.under_way) if (batch := self._take(future))]
        self.pool.renew()
        for number in sorted(number for batch in lost for number in batch):
            for _ in range(self.pool.more):
                alone = self._send([number])
                wait([alone])
                if not self._take(alone):
                    break
                self.pool.renew()
            else:
                why = f"{self.pool.blame} (killed, or out of memory); allowed: calls that leave their process alive"
                raise ExperimentError(f"{self.tasks[number].words}: {why}.")


def _processors() -> int:
    """Return the number of processors this process may use; macOS tells only how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Processes:
    """Processes of this machine, started afresh so that they share nothing."""

    losses, all_lost = BrokenExecutor, True
    more, blame = KILLS - 1, f"the call lost its worker {KILLS} times"

    def __init__(self, workers: int | None) -> None:
        if workers is not None and workers < 1:
            raise ParameterError(f"workers is a count of processes; got {workers}; allowed: 1 or more.")
        self.width = workers or _processors()
        self.pool = self._start()

    def _start(self) -> Executor:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        return ProcessPoolExecutor(self.width, mp_context=get_context("spawn"))

    def submit(self, *call: Any) -> Future:
        try:
            return self.pool.submit(*call)
        except BrokenExecutor as error:
            broken: Future = Future()
            broken.set_exception(error)
            return broken

    def renew(self) -> None:
        """Replace a pool that has lost a process: it takes no more calls."""
        self.close()
        self.pool = self._start()

    def close(self) -> None:
        self.pool.shutdown(wait=True, cancel_futures=True)


class _Cluster:
    """A Dask cluster; its scheduler retries the tasks of a lost worker by itself, up to its allowed failures.

    What comes back lost has been retried; its calls go out once more alone, to name the one.
    """

    all_lost, more, blame = False, 1, "the scheduler gave the call up, each time with its worker lost"

    def __init__(self, client: Any) -> None:
        with extra("dask"):
            from distributed.scheduler import KilledWorker

        self.losses = KilledWorker
        self.width = max(1, sum(client.nthreads().values()))
        self.pool = client.get_executor(pure=False)

    def submit(self, *call: Any) -> Future:
        return self.pool.submit(*call)

    def renew(self) -> None:
        """Leave it to the cluster to start workers."""


@contextmanager
def _opened(executor: Any, workers: int | None, timeout: float, security: Any) -> Iterator[_Processes | _Cluster]:
    if isinstance(executor, str) and executor == "processes":
        pool = _Processes(workers)
        try:
            yield pool
        finally:
            pool.close()
    elif isinstance(executor, str) and ADDRESS.fullmatch(executor):
        with _client(executor, timeout, security) as client:
            yield _Cluster(client)
    elif hasattr(executor, "get_executor") and hasattr(executor, "nthreads"):
        _await_worker(executor, timeout)
        yield _Cluster(executor)
    else:
        allowed = "'serial', 'processes', a scheduler's address such as 'tcp://host:8786', or a distributed.Client"
        raise ParameterError(f"executor says where calls are run; got {executor!r}; allowed: {allowed}.")


@contextmanager
def _client(address: str, timeout: float, security: Any) -> Iterator[Any]:
    with extra("dask"):
        from distributed import Client

    answer: list[Any] = []

    def knock() -> None:
        try:
            answer.append(Client(address, timeout=timeout, set_as_default=False, security=security))
        except Exception as error:  # brought over to the caller's thread
            answer.append(error)

    thread = Thread(target=knock, daemon=True)  # a port that takes the connection and says nothing holds Client forever
    thread.start()
    thread.join(timeout + 1.0)
    client = answer[0] if answer else TimeoutError()
    if isinstance(client, Exception):
        proof = ", and for tls:// the certificates it trusts (security=)" if address.startswith("tls:") else ""
        allowed = f"the address that `dask scheduler` prints when it starts{proof}"
        what = f"no Dask scheduler answers at {address}; waited {timeout:g} s"
        raise ExperimentError(f"{what}; allowed: {allowed}.") from client
    with client:
        _await_worker(client, timeout)
        yield client


def _await_worker(client: Any, timeout: float) -> None:
    try:
        client.wait_for_workers(1, timeout=timeout)
    except TimeoutError:
        what = f"the Dask scheduler at {client.scheduler.address} has no worker; waited {timeout:g} s"
        raise ExperimentError(f"{what}; allowed: one or more, started by `dask worker` with that address.") from None


@lru_cache(maxsize=2)
def _loaded(payload: bytes) -> Callable[..., Any]:
    return pickle.loads(payload)


def _work(payload: bytes, tasks: list[Task]) -> tuple[list[Any], float]:
    """Run a batch in a worker, up to its first failure or until it has lasted; return its values and its seconds."""
    fn, values, start = _loaded(payload), [], perf_counter()
    for task in tasks:
        try:
            values.append(task.call(fn))
        except Exception as error:
            values.append(_Failure(_sendable(error)))
            break
        if perf_counter() - start > 2 * LAST:  # later calls are longer: leave some to other workers
            break
    return values, perf_counter() - start


def _sendable(error: Exception) -> Exception:
    """Return the error itself if it survives the way home, else its type and text."""
    try:
        if str(pickle.loads(pickle.dumps(error))) == str(error):
            return error
    except Exception:  # what pickling a stranger's exception raises is anyone's guess
        pass
    plain = RuntimeError(f"{type(error).__name__}: {error}")
    for note in getattr(error, "__notes__", ()):
        plain.add_note(note)
    return plain
