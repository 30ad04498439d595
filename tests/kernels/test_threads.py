"""The threads behind the kernels: shared by every caller, and made anew in a child process."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from spinert import kernels

MAPS = np.random.default_rng(0).normal(0.0, 3.0, (40, 33, 47)).astype(np.float32)
PIXELS = np.random.default_rng(1).integers(0, 4000, (151, 113), np.uint16)
CORES = 5


def work(threads: int) -> bytes:
    prepared = kernels.prepare_radiograph(PIXELS, size=(64, 48), threads=threads).pixels
    results = [prepared, *kernels.soft_moments(MAPS, threads=threads), *kernels.peak(MAPS, threads=threads)]
    return b"".join(result.tobytes() for result in results)


def test_many_callers_at_once_each_get_their_own_result() -> None:
    want = work(1)
    with ThreadPoolExecutor(8) as callers:
        got = list(callers.map(work, [1 + i % CORES for i in range(200)]))
    assert all(result == want for result in got)


def test_more_threads_than_there_is_work_are_harmless() -> None:
    assert work(1000) == work(1)
    assert kernels.peak(MAPS[:0], threads=4)[0].shape == (0, 2)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_a_child_forked_while_others_compute_computes_as_well() -> None:
    """The child has one thread and the lock as it was: it must neither wait for ever nor give another result."""
    want = work(1)
    stop = threading.Event()

    def compute_on() -> None:
        while not stop.is_set():
            work(2)

    busy = [threading.Thread(target=compute_on) for _ in range(3)]
    for thread in busy:
        thread.start()
    context: Any = multiprocessing.get_context("fork")
    try:
        for _ in range(10):
            receive, send = context.Pipe(duplex=False)
            child = context.Process(target=send_work, args=(send,), daemon=True)
            child.start()
            assert receive.poll(60.0), "the child hangs"
            assert receive.recv_bytes() == want
            child.join(60.0)
            assert child.exitcode == 0
    finally:
        stop.set()
        for thread in busy:
            thread.join()


def send_work(send: Any) -> None:
    send.send_bytes(work(3))
