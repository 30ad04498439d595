"""What an interrupted calibration leaves behind, so that the next run of the same command goes on from there.

A hidden folder beside the new bundle, for its owner's eyes only: it holds films as the networks see them. Every stage
writes its result as one file, whole or not at all. The folder goes when the run ends, with a bundle or with an error of
its own, and stays where the run was interrupted; a run with other studies or arguments begins anew.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from spinert.errors import CalibrationFailed, SpinertError

Result = TypeVar("Result")
KEY = "run.json"


class Workspace:
    """Results of stages by name. `key` says what the run is made of; a folder that holds another run is emptied."""

    def __init__(self, output: Path, key: Mapping[str, Any]) -> None:
        self.folder = output.with_name(f".{output.name}.calibration")
        wanted = msgspec.json.encode(dict(key), order="deterministic")
        if self._read(KEY) != wanted:
            self.remove()
            with self.writing():
                self.folder.mkdir(mode=0o700, parents=True)
            self._write(KEY, wanted)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, SpinertError):
            self.remove()

    def once(self, name: str, kind: type[Result], make: Callable[[], Result]) -> Result:
        """The stage's stored result, or what `make` returns, stored."""
        stored = self._read(f"{name}.json")
        if stored is not None:
            try:
                return msgspec.json.decode(stored, type=kind)
            except msgspec.MsgspecError:
                pass  # torn by a power cut: made again
        result = make()
        self._write(f"{name}.json", msgspec.json.encode(result))
        return result

    def store_arrays(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep named arrays as one file."""
        partial = self.folder / f"{name}.partial.npz"
        with self.writing():
            np.savez(partial, allow_pickle=False, **arrays)
            partial.replace(self.folder / f"{name}.npz")

    def arrays(self, name: str) -> "np.lib.npyio.NpzFile":
        """Stored arrays by name, each read from the disk when it is asked for; a context manager."""
        return np.load(self.folder / f"{name}.npz", allow_pickle=False)  # type: ignore[no-any-return]

    def path(self, name: str) -> Path:
        """Where a file of this run may lie."""
        return self.folder / name

    def remove(self) -> None:
        """Nothing is to be resumed any more."""
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def _write(self, name: str, content: bytes) -> None:
        partial = self.folder / f"{name}.partial"
        with self.writing():
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.folder / name)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around whatever writes into the folder: a full disk is an error of its own."""
        try:
            yield
        except OSError as error:
            raise CalibrationFailed(
                f"cannot write in {self.folder}: {error.strerror}", "make room, or choose another output folder"
            ) from None
