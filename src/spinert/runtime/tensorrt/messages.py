"""What TensorRT says: collected, never printed; its errors go into ours."""

import threading
from collections import deque
from functools import cache
from typing import Any

from spinert.runtime.tensorrt.layers import HEADING

LINES = 500
REPORTS = 4
TOLD = 3
LENGTH = 700
_WARNING = 2
NOTHING = "TensorRT gave no reason"


class Messages:
    """Text of the library's logger: the last `LINES` that are errors or warnings, and reports on layers.

    The library may write from any thread. What it says beside these is very much, and dropped.
    """

    def __init__(self) -> None:
        self._lines: deque[tuple[int, int, str]] = deque(maxlen=LINES)
        self._reports: deque[tuple[int, str]] = deque(maxlen=REPORTS)
        self._count = 0
        self._lock = threading.Lock()

    def add(self, severity: int, text: str) -> None:
        """Severities are numbered from 0, an internal error, over 1, an error, and 2, a warning, to 4."""
        with self._lock:
            self._count += 1
            if severity <= _WARNING:
                self._lines.append((self._count, severity, text))
            elif text.startswith(HEADING):
                self._reports.append((self._count, text))

    def mark(self) -> int:
        """A place to ask `errors` and `report` from."""
        return self._count

    def errors(self, mark: int) -> str:
        """One line with the last errors since the mark."""
        with self._lock:
            said = [" ".join(text.split()) for count, severity, text in self._lines if count > mark and severity <= 1]
        return "; ".join(dict.fromkeys(said[-TOLD:]))[:LENGTH] or NOTHING

    def take_report(self, mark: int) -> str | None:
        """The last report on layers since the mark. Reports are long: all of them are forgotten, errors are not."""
        with self._lock:
            found = [text for count, text in self._reports if count > mark]
            self._reports.clear()
        return found[-1] if found else None


@cache
def logger(module: Any) -> Any:
    """The library's logger with a `messages`. One for the process: the library keeps the first that it is given."""

    class Logger(module.ILogger):  # type: ignore[misc]  # the base comes with the library
        def __init__(self) -> None:
            super().__init__()
            self.messages = Messages()

        def log(self, severity: Any, text: str) -> None:
            self.messages.add(int(severity), text)

    return Logger()
