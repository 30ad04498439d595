"""The mean of several networks, seen as one."""

import threading

import numpy as np
import pytest

from spinert.bundle import TensorSpec
from spinert.errors import BadNetwork
from spinert.runtime.ensemble import EnsembleNetwork
from spinert.runtime.network import Arrays, Network


class Times:
    """y = factor * x and z = factor, in the same array on every call, as backends answer."""

    inputs = (TensorSpec("x", "float32", (None, 2)),)
    backend, provider = "test", "here"

    def __init__(self, factor: float, dtype: str = "float32") -> None:
        self.factor, self.dtype, self.closed = factor, dtype, False
        self.outputs = (TensorSpec("y", dtype, (None, 2)), TensorSpec("z", dtype, (None,)))
        self._own = threading.local()

    def __call__(self, arrays: Arrays) -> dict[str, np.ndarray]:
        x = arrays["x"]
        if getattr(self._own, "y", np.zeros(0)).shape != x.shape:
            self._own.y = np.empty(x.shape, self.dtype)
        self._own.y[...] = x * self.factor
        return {"y": self._own.y, "z": np.full(len(x), self.factor, self.dtype)}

    def close(self) -> None:
        self.closed = True


def ones(batch: int = 1) -> dict[str, np.ndarray]:
    return {"x": np.ones((batch, 2), np.float32)}


@pytest.mark.parametrize(
    ("weights", "expected"), [((), 3.0), ((1.0, 1.0, 1.0), 3.0), ((2.0, 1.0, 1.0), 2.5), ((0.2, 0.1, 0.1), 2.5)]
)
def test_every_output_is_the_weighted_mean(weights: tuple[float, ...], expected: float) -> None:
    network: Network = EnsembleNetwork([Times(1.0), Times(2.0), Times(6.0)], weights)
    answer = network(ones())
    np.testing.assert_allclose(answer["y"], expected, rtol=1e-6)
    np.testing.assert_allclose(answer["z"], expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_tensors_keep_their_type(dtype: str) -> None:
    network = EnsembleNetwork([Times(1.0, dtype), Times(2.0, dtype)])
    answer = network(ones())
    assert {each.dtype for each in answer.values()} == {np.dtype(dtype)}
    assert (answer["y"] == 1.5).all()


def test_halves_are_summed_in_single_precision() -> None:
    x = np.random.default_rng(0).uniform(0.5, 2.0, (500, 2)).astype(np.float32)
    networks = [Times(factor, "float16") for factor in (1.0, 3.0, 7.0)]
    answer = EnsembleNetwork(networks)({"x": x})["y"]
    exact = np.mean([network({"x": x})["y"].astype(np.float64) for network in networks], axis=0)
    assert np.abs(answer - exact).max() <= np.abs(np.spacing(exact.astype(np.float16))).max() / 2 * 1.001


def test_what_a_network_returned_is_not_written_to() -> None:
    first = Times(1.0)
    own = first(ones())["y"]
    EnsembleNetwork([first, Times(5.0)])(ones())
    assert (own == 1.0).all()


def test_the_batch_may_change_between_calls() -> None:
    network = EnsembleNetwork([Times(1.0), Times(3.0)])
    for batch in (1, 3, 2, 1):
        answer = network(ones(batch))["y"]
        assert answer.shape == (batch, 2)
        assert (answer == 2.0).all()


def test_threads_do_not_see_each_others_sums() -> None:
    network = EnsembleNetwork([Times(1.0), Times(3.0)])
    wrong: list[float] = []

    def work(value: float) -> None:
        arrays = {"x": np.full((2, 2), value, np.float32)}
        wrong.extend(value for _ in range(200) if not (network(arrays)["y"] == 2 * value).all())

    workers = [threading.Thread(target=work, args=(float(value),)) for value in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


def test_networks_with_other_tensors_are_refused_with_both() -> None:
    with pytest.raises(BadNetwork, match=r"y float32 \[N, 2\].* and .*y float64 \[N, 2\]"):
        EnsembleNetwork([Times(1.0), Times(1.0, "float64")])


def test_it_says_of_itself_what_its_networks_say_and_closes_them_all() -> None:
    networks = [Times(1.0), Times(2.0)]
    network = EnsembleNetwork(networks)
    assert (network.inputs, network.outputs) == (networks[0].inputs, networks[0].outputs)
    assert (network.backend, network.provider) == ("test", "here")
    network.close()
    assert [each.closed for each in networks] == [True, True]
