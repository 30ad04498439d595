"""What TensorRT says: collected, never printed; its errors go into ours."""

import threading
from collections import deque
from functools import cache
from typing import Any

LINES = 500
TOLD = 3
LENGTH = 700
NOTHING = "TensorRT gave no reason"


class Messages:
    """Text of the library's logger, the last `LINES` of it. The library may write from any thread."""

    def __init__(self) -> None:
        self._lines: deque[tuple[int, int, str]] = deque(maxlen=LINES)
        self._count = 0
        self._lock = threading.Lock()

    def add(self, severity: int, text: str) -> None:
        """Severities are numbered from 0, an internal error, over 1, an error, and 2, a warning, to 4."""
        with self._lock:
            self._count += 1
            self._lines.append((self._count, severity, text))

    def mark(self) -> int:
        """A place to ask `errors` and `find` from."""
        return self._count

    def errors(self, mark: int) -> str:
        """One line with the last errors since the mark."""
        with self._lock:
            said = [" ".join(text.split()) for count, severity, text in self._lines if count > mark and severity <= 1]
        return "; ".join(dict.fromkeys(said[-TOLD:]))[:LENGTH] or NOTHING

    def find(self, mark: int, start: str) -> str | None:
        """The last text since the mark that begins like this."""
        with self._lock:
            found = [text for count, _, text in self._lines if count > mark and text.startswith(start)]
        return found[-1] if found else None

    def clear(self) -> None:
        """Forget all of it: the report on a large engine is long."""
        with self._lock:
            self._lines.clear()


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
