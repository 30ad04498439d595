"""Milliseconds per stage of one study."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """`with stopwatch.stage("prepare"): ...` adds to `ms["prepare"]`; stages keep the order in which they first ran."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter_ns()
        try:
            yield
        finally:
            self.ms[name] = self.ms.get(name, 0.0) + (time.perf_counter_ns() - started) / 1e6
