"""How far a build is and how long it still takes, and how it is stopped."""

import threading
import time
from collections.abc import Callable
from typing import Any

Progress = Callable[[float, float | None], None]
"""Called with the share that is done, from 0 to 1, and the seconds left, None where too little is known."""

_EARLIEST = 0.05  # before this share is done an estimate says nothing


class Phases:
    """The nested phases of one build as one share. Phases end early at times: the share only grows."""

    def __init__(self) -> None:
        self._phases: dict[str, tuple[str | None, int, int]] = {}  # name -> phase around it, steps, of which done
        self._share = 0.0
        self._begun = time.monotonic()

    def start(self, name: str, around: str | None, steps: int) -> None:
        self._phases[name] = (around, max(steps, 1), 0)

    def step(self, name: str, number: int) -> None:
        if name in self._phases:
            around, steps, _ = self._phases[name]
            self._phases[name] = (around, steps, min(number + 1, steps))

    def finish(self, name: str) -> None:
        self._phases.pop(name, None)

    def share(self) -> float:
        """Of the outermost phase, with a part of its current step for what is done within that."""
        roots = [name for name, (around, _, _) in self._phases.items() if around not in self._phases]
        self._share = max(self._share, max((self._of(name) for name in roots), default=0.0))
        return self._share

    def seconds_left(self) -> float | None:
        share = self._share
        return (time.monotonic() - self._begun) * (1 - share) / share if share >= _EARLIEST else None

    def _of(self, name: str) -> float:
        _, steps, done = self._phases[name]
        inner = [self._of(other) for other, (around, _, _) in self._phases.items() if around == name]
        return min((done + min(max(inner, default=0.0), 1.0)) / steps, 1.0)


def monitor(module: Any, progress: Progress, stop: threading.Event) -> Any:
    """The library's progress monitor that tells `progress` and ends the build at the next step after `stop` is set.

    An error of `progress` stops the build too; it is in `failure`: nothing may be raised through the library.
    """

    class Monitor(module.IProgressMonitor):  # type: ignore[misc]  # the base comes with the library
        def __init__(self) -> None:
            super().__init__()
            self.failure: BaseException | None = None
            self._phases = Phases()
            self._lock = threading.Lock()

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            with self._lock:
                self._phases.start(phase_name, parent_phase, num_steps)

        def phase_finish(self, phase_name: str) -> None:
            with self._lock:
                self._phases.finish(phase_name)

        def step_complete(self, phase_name: str, step: int) -> bool:
            try:
                with self._lock:
                    self._phases.step(phase_name, step)
                    share, left = self._phases.share(), self._phases.seconds_left()
                    progress(share, left)
            except BaseException as error:
                self.failure = error
                stop.set()
            return not stop.is_set()

    return Monitor()
