"""What a recording shows, and that the network inside does not notice it."""

import numpy as np
import pytest

from spinert.bundle import TensorSpec
from spinert.errors import BadNetwork
from spinert.runtime.network import Arrays, Network
from spinert.runtime.recording import Recording


class Doubling:
    inputs = (TensorSpec("x", "float32", (None, 2)),)
    outputs = (TensorSpec("y", "float32", (None, 2)),)
    backend, provider = "test", "here"

    def __init__(self) -> None:
        self.calls, self.closed = 0, False

    def __call__(self, arrays: Arrays) -> dict[str, np.ndarray]:
        self.calls += 1
        return {"y": arrays["x"] * 2}

    def close(self) -> None:
        self.closed = True


def test_every_call_is_shown_and_answered() -> None:
    seen: list[np.ndarray] = []
    network: Network = Recording(Doubling(), lambda arrays: seen.append(arrays["x"].copy()))
    for value in (1.0, 4.0):
        answer = network({"x": np.full((1, 2), value, np.float32)})
        assert (answer["y"] == 2 * value).all()
    np.testing.assert_array_equal(np.concatenate(seen), [[1, 1], [4, 4]])


def test_the_inputs_are_seen_before_the_network_runs() -> None:
    inner = Doubling()

    def refuse(arrays: Arrays) -> None:
        raise BadNetwork("seen enough", "stop")

    with pytest.raises(BadNetwork, match="seen enough"):
        Recording(inner, refuse)({"x": np.zeros((1, 2), np.float32)})
    assert inner.calls == 0


def test_it_says_of_itself_what_the_network_says() -> None:
    inner = Doubling()
    network = Recording(inner, lambda arrays: None)
    assert (network.inputs, network.outputs) == (inner.inputs, inner.outputs)
    assert (network.backend, network.provider) == ("test", "here")
    network.close()
    assert inner.closed
