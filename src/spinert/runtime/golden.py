"""Do two runs of one network agree? The same golden inputs through both, in a batch of one and a batch of three.

Golden inputs are float32 [1, ...] for each input, kept in the bundle, so that a network can be compared again with
every backend and precision, on the machine where it will run.
"""

import io
import math
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinert.bundle import Bundle, TensorSpec
from spinert.errors import BadBundle, BadNetwork
from spinert.runtime.network import Arrays

TOLERANCE = 1e-4
"""Largest difference between FP32 runs, as a share of a tensor's largest magnitude or of 1, whichever is more."""

Run = Callable[[Arrays], Mapping[str, NDArray[Any]]]
"""Named arrays in, named arrays out; an opened `Network` is one."""


class Difference(NamedTuple):
    """Where an output tensor differs most: both values; and the reference's largest magnitude, and RMS over all."""

    tensor: str
    reference: float
    candidate: float
    magnitude: float
    rms: float = 0.0

    @property
    def absolute(self) -> float:
        return abs(self.candidate - self.reference)

    @property
    def tolerated(self) -> float:
        return TOLERANCE * max(1.0, self.magnitude)


def make_golden(specs: tuple[TensorSpec, ...]) -> dict[str, NDArray[np.float32]]:
    """One row for each input: random blocks of 32, 8 and 1 cells in 0..1, the same on every call.

    Blocks give every depth of a network something to see; 256 grey levels keep the compressed file small.
    """
    rng = np.random.default_rng(0)
    golden = {}
    for spec in specs:
        shape = [size or 1 for size in spec.shape]
        values = np.zeros(shape)
        for block, weight in ((32, 0.5), (8, 0.3), (1, 0.2)):
            cells = rng.random([*shape[:2], *(-(-size // block) for size in shape[2:])])
            for axis in range(2, len(shape)):
                cells = cells.repeat(block, axis).take(range(shape[axis]), axis)
            values += weight * cells
        golden[spec.name] = np.round(values * 255).astype(np.float32) / np.float32(255)
    return golden


def encode_golden(golden: Arrays) -> bytes:
    """The arrays as compressed `.npz`, the same bytes for the same arrays."""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **golden)
    return file.getvalue()


def read_golden(bundle: Bundle, network: str) -> dict[str, NDArray[Any]]:
    """A network's golden inputs. Raises BadBundle when the bundle has none or they cannot be read."""
    spec = bundle.manifest.networks.get(network)
    if spec is None or spec.golden is None:
        raise BadBundle(f"bundle {bundle.name!r} has no golden inputs for network {network!r}", "export it again")
    try:
        content = io.BytesIO((bundle.folder / spec.golden).read_bytes())
        with np.load(content, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise BadBundle(f"golden inputs {spec.golden} cannot be read: {error}", "export the bundle again") from error


def compare(golden: Arrays, reference: Run, candidate: Run) -> tuple[Difference, ...]:
    """The largest difference of each output tensor, over a batch of one and one of three.

    The batch of one is also compared with the first row of the three: no row may depend on its neighbours.
    Raises BadNetwork when outputs differ in name or shape, or a value is not finite.
    """
    three = {name: _three_rows(array) for name, array in golden.items()}
    expected, expected_three = _copied(reference(golden)), _copied(reference(three))
    found, found_three = _copied(candidate(golden)), _copied(candidate(three))
    first = {name: array[:1] for name, array in found_three.items()}
    cases = ((expected, found), (expected_three, found_three), (expected, first))
    return tuple(_worst([_difference(name, want, got) for want, got in cases]) for name in expected)


def _worst(cases: Sequence[Difference]) -> Difference:
    rms = math.sqrt(sum(case.rms**2 for case in cases) / len(cases))
    return max(cases, key=lambda case: case.absolute)._replace(rms=rms)


def _three_rows(row: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([row, row[..., ::-1], row * row.dtype.type(0.5)])


def _copied(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Networks may reuse the arrays they return."""
    return {name: np.array(array) for name, array in arrays.items()}


def _difference(name: str, expected: Mapping[str, NDArray[Any]], found: Mapping[str, NDArray[Any]]) -> Difference:
    if expected.keys() != found.keys() or expected[name].shape != found[name].shape:
        raise BadNetwork(
            f"outputs are {_shapes(found)}, expected {_shapes(expected)}", "export the bundle again with a free batch"
        )
    want, got = expected[name].astype(np.float64), found[name].astype(np.float64)
    for which, values in (("reference", want), ("candidate", got)):
        if not np.isfinite(values).all():
            raise BadNetwork(
                f"output {name!r} of the {which} is not finite on the golden inputs", "check the weights of the network"
            )
    place = np.unravel_index(np.argmax(np.abs(got - want)), want.shape)
    return Difference(name, float(want[place]), float(got[place]), float(np.abs(want).max()), _rms(got - want))


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.square(values).mean()))


def _shapes(arrays: Mapping[str, NDArray[Any]]) -> str:
    return ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
