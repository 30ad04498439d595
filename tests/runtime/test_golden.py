import pickle

import msgspec
import numpy as np
import pytest

from spinert import bundle as bundles
from spinert.bundle import Bundle, Manifest, NetworkSpec, TensorSpec, Training
from spinert.errors import BadBundle, BadNetwork
from spinert.runtime import golden

IMAGE = TensorSpec("image", "float32", (None, 1, 768, 320))
GOLDEN = {"x": np.arange(6, dtype=np.float32).reshape(1, 2, 3)}


def double(arrays):
    return {"y": arrays["x"] * 2}


def test_golden_inputs_are_in_range_vary_and_repeat():
    first, second = golden.make_golden((IMAGE,))["image"], golden.make_golden((IMAGE,))["image"]
    np.testing.assert_array_equal(first, second)
    assert first.shape == (1, 1, 768, 320)
    assert first.dtype == np.float32
    assert 0 <= first.min() < 0.2 < 0.8 < first.max() <= 1


def test_golden_inputs_of_a_film_take_less_than_a_megabyte():
    assert len(golden.encode_golden(golden.make_golden((IMAGE,)))) < 1_000_000


def test_each_input_has_golden_values_of_its_own():
    pair = golden.make_golden((TensorSpec("a", "float32", (None, 5)), TensorSpec("b", "float32", (None, 5))))
    assert pair["a"].shape == pair["b"].shape == (1, 5)
    assert not np.array_equal(pair["a"], pair["b"])


def test_equal_runs_differ_by_nothing():
    (difference,) = golden.compare(GOLDEN, double, double)
    assert difference.tensor == "y"
    assert difference.absolute == 0
    assert difference.magnitude == 10
    assert difference.tolerated == pytest.approx(10 * golden.TOLERANCE)


def test_the_largest_difference_is_reported_with_both_values():
    def off(arrays):
        y = arrays["x"] * 2
        y[:, 1, 1] += 0.25
        y[:, 0, 0] -= 0.125
        return {"y": y}

    (difference,) = golden.compare(GOLDEN, double, off)
    assert (difference.reference, difference.candidate) == (8.0, 8.25)
    assert difference.absolute == 0.25
    # in each row of six values two are off, by 0.25 and 0.125
    assert difference.rms == pytest.approx(np.sqrt((0.25**2 + 0.125**2) / 6))


def test_tolerance_of_small_values_is_absolute():
    assert golden.Difference("y", 0.0, 0.0, magnitude=1e-6).tolerated == golden.TOLERANCE


def test_a_batch_other_than_one_is_compared_too():
    def wrong_from_the_second_row_on(arrays):
        y = arrays["x"] * 2
        y[1:] += 1
        return {"y": y}

    assert golden.compare(GOLDEN, double, wrong_from_the_second_row_on)[0].absolute == 1


def test_a_row_that_depends_on_its_neighbours_shows():
    def centred(arrays):
        return {"y": arrays["x"] - arrays["x"].mean(axis=0)}

    assert golden.compare(GOLDEN, centred, centred)[0].absolute > 1


def test_outputs_that_a_network_overwrites_are_copied():
    buffer = np.zeros((3, 2, 3), np.float32)

    def reusing(arrays):
        rows = arrays["x"].shape[0]
        buffer[:rows] = arrays["x"] * 2
        return {"y": buffer[:rows]}

    assert golden.compare(GOLDEN, double, reusing)[0].absolute == 0


@pytest.mark.parametrize("other", [lambda a: {"z": a["x"]}, lambda a: {"y": a["x"][..., :2]}])
def test_outputs_of_another_name_or_shape_are_refused(other):
    with pytest.raises(BadNetwork, match=r"expected y \[1, 2, 3\]"):
        golden.compare(GOLDEN, double, other)


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(BadNetwork, match="'y' of the candidate is not finite"):
        golden.compare(GOLDEN, double, lambda arrays: {"y": arrays["x"] * np.float32(np.nan)})


@pytest.fixture
def bundle(tmp_path) -> Bundle:
    spec = NetworkSpec((TensorSpec("x", "float32", (None, 2, 3)),), (), {"fp32": "n.onnx"}, 20, golden="n.npz")
    manifest = Manifest(
        format_version=bundles.FORMAT_VERSION,
        name="tiny",
        pipeline="none",
        networks={"n": spec, "bare": msgspec.structs.replace(spec, golden=None)},
        settings={},
        class_names=(),
        provenance=Training("r", "d", "s", "2026-11-20", "0.1.0", "0" * 64),
        model_card="card.md",
        sha256={},
    )
    files = {"n.onnx": b"onnx", "n.npz": golden.encode_golden(GOLDEN), "card.md": b"# Card"}
    return bundles.write(tmp_path / "bundle", manifest, files)


def test_golden_inputs_come_back_from_the_bundle(bundle):
    found = golden.read_golden(bundle, "n")
    assert found.keys() == GOLDEN.keys()
    np.testing.assert_array_equal(found["x"], GOLDEN["x"])


@pytest.mark.parametrize("network", ["bare", "absent"])
def test_a_network_without_golden_inputs_is_refused(bundle, network):
    with pytest.raises(BadBundle, match=f"no golden inputs for network '{network}'"):
        golden.read_golden(bundle, network)


@pytest.mark.parametrize(
    "content", [b"", b"not an archive", b"PK\x03\x04 cut", pickle.dumps(object), golden.encode_golden(GOLDEN)[:90]]
)
def test_golden_inputs_that_are_no_arrays_are_refused(bundle, content):
    (bundle.folder / "n.npz").write_bytes(content)
    with pytest.raises(BadBundle, match=r"n\.npz cannot be read"):
        golden.read_golden(bundle, "n")
