"""The report as JSON and as pictures, and the words in which a failure is told."""

import io
import json

import numpy as np
import PIL.Image
import pytest

from spinert.calibrate import plots, report
from spinert.calibrate.report import Report, Timing
from spinert.calibrate.search import Attempt
from spinert.calibrate.sensitivity import RUINED, Layer
from tests.calibrate.test_agreement import HOLDS


def attempt(kept: int = 1, broken: tuple[str, ...] = (), layout: str = "openvino") -> Attempt:
    return Attempt(
        backend="openvino",
        layout=layout,
        kept_float=tuple(f"landmarks: c{place}" for place in range(kept)),
        agreement=HOLDS,
        broken=broken,
        curves=((40.0, 40.2), (12.0, 11.8)),
        corners_px=(0.1, 0.2, 0.7),
    )


RANKING = (Layer("landmarks", "c0", RUINED, 9), Layer("landmarks", "c1", 0.4, 9), Layer("landmarks", "c2", 0.0, 9))


def pixels(png: bytes) -> tuple[int, int, int]:
    """Height, width and number of colours."""
    with PIL.Image.open(io.BytesIO(png)) as picture:
        array = np.asarray(picture.convert("RGB"))
    return array.shape[0], array.shape[1], len(np.unique(array.reshape(-1, 3), axis=0))


@pytest.mark.parametrize("curves", [0, 2])
def test_the_picture_of_agreement_is_the_same_twice(curves: int) -> None:
    made = attempt()
    if not curves:
        made = Attempt(backend="ort", layout="fp16", kept_float=(), agreement=HOLDS, broken=())
    first, second = (plots.agreement(made, "cobb: fp16 against fp32") for _ in range(2))
    assert first == second
    height, width, colours = pixels(first)
    assert (height, width) == (378, 900)
    assert colours > 3


@pytest.mark.parametrize("layers", [1, 3, 60])
def test_the_picture_of_layers_grows_with_them_and_is_the_same_twice(layers: int) -> None:
    ranking = (RANKING * 20)[:layers]
    first, second = (plots.sensitivity(ranking, ("landmarks: c0",), "layers") for _ in range(2))
    assert first == second
    height, width, _ = pixels(first)
    assert width == 720
    assert abs(height - 90 * (1.2 + 0.19 * layers)) <= 1


def test_the_report_is_json_that_reads_back_as_it_was() -> None:
    made = Report(
        precision="int8-cpu",
        method="percentile 99.99",
        calibrated_on="32, SHA-256 of their pixels 00",
        held_out="16, SHA-256 of their pixels 11",
        refused=2,
        processor="Example 9000",
        versions={"onnx": "1"},
        limits=report.limits(),
        chosen=attempt(),
        ranking=RANKING,
        attempts=report.brief([attempt(0, ("worse",)), attempt()]),
        timings=(Timing(backend="openvino", precision="int8-cpu", milliseconds=2.0, speedup=3.0),),
    )
    document = json.loads(made.to_json())
    assert document["schema"] == "spinert.calibration/1"
    assert document["disclaimer"]
    assert document["limits"]["cobb_largest_degrees"] == 2.0
    assert [each["damage"] for each in document["ranking"]] == [RUINED, 0.4, 0.0]
    assert [len(each["corners_px"]) for each in document["attempts"]] == [0, 0]
    assert document["chosen"]["corners_px"] == [0.1, 0.2, 0.7]


def test_a_failure_tells_of_the_last_attempt_of_each_layout() -> None:
    tried = [attempt(0, ("far off",)), attempt(5, ("off by 2", "slow")), attempt(0, ("missing",), "onnxruntime")]
    assert report.failure(tried) == (
        "openvino with the openvino layout and 5 layers float: off by 2, slow; "
        "openvino with the onnxruntime layout and 0 layers float: missing"
    )


def test_the_gate_as_a_table() -> None:
    assert report.rows(HOLDS) == [
        ("cobb median", "0.3", "at most 0.3 degrees"),
        ("cobb 95th", "1", "at most 1 degrees"),
        ("cobb largest", "2", "at most 2 degrees"),
        ("corners 95th", "0.5", "at most 0.5 px at network size"),
        ("same ends", "98", "at least 98 % of curves"),
        ("curves", "80", "at least 20 curves"),
        ("failed", "0", "at most 0 studies"),
    ]
