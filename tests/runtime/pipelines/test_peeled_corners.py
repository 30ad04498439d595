"""Peeling, tags and corner maps: perfect networks, which see nothing but the pixels, must give the truth."""

from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.bundle import TensorSpec
from spinert.errors import BadBundle, BadNetwork, BadStudy
from spinert.findings import T1_TO_L5, Finding
from spinert.image import Image
from spinert.runtime.pipelines import peeled_corners
from spinert.runtime.stopwatch import Stopwatch
from tests.runtime.pipelines.coded_films import Answering, coded_film
from tests.runtime.pipelines.peeled_system import peeled
from tests.runtime.pipelines.truth import SINGLE, TILTS, assert_truth, curves, spine, vertebrae

WILD = (1500, 1300)
"""A film with wide margins, most of which are peeled away."""


def wild(tilts: NDArray[np.float64], share: float = 0.62) -> NDArray[np.float64]:
    return spine(tilts, WILD, share) + np.array([150.0, -60.0])


def run(image: Image, corners: NDArray[np.float64], **changes: Any) -> tuple[list[Finding], dict[str, Answering]]:
    networks, settings = peeled(lambda code: corners[code], **changes)
    peeled_corners.check({name: network.spec for name, network in networks.items()}, settings)
    return peeled_corners.run(image, networks, settings, Stopwatch()), networks


@pytest.mark.parametrize("tilts", TILTS)
def test_a_perfect_network_gives_the_truth(tilts: str) -> None:
    corners = wild(TILTS[tilts])
    image = Image(coded_film(corners, WILD), "DX")
    findings, networks = run(image, corners)
    assert_truth(findings, corners, image, 1.0)
    assert 3 <= len(networks["whole_spine"].batches) <= 6
    assert networks["corner_maps"].batches == [16, 1]


def test_dim_films_that_are_inverted_give_the_truth() -> None:
    corners = wild(SINGLE)
    pixels = (40_000 - coded_film(corners, WILD) // 4).astype(np.uint16)
    image = Image(pixels, "DX", inverted=True)
    assert_truth(run(image, corners)[0], corners, image, 1.0)


def test_a_vertebra_that_is_missing_takes_no_name_of_another() -> None:
    corners = wild(SINGLE)
    findings, _ = run(Image(coded_film(corners, WILD), "DX"), corners, unseen=6)
    assert [v.level for v in vertebrae(findings)] == [level for level in T1_TO_L5 if level != "T7"]
    flags = {v.level: v.flags for v in vertebrae(findings)}
    assert [level for level, names in flags.items() if "neighbour_missing" in names] == ["T6", "T8"]
    assert all("uncertain_vertebra" in curve.flags for curve in curves(findings) if curve.upper == "T5")
    assert np.abs(np.array([v.corners_px for v in vertebrae(findings)]) - np.delete(corners, 6, 0)).max() < 1.0


def test_three_vertebrae_are_no_spine() -> None:
    corners = wild(SINGLE)
    film = coded_film(corners, WILD)
    film[int(corners[3, :2, 1].min()) - 2 :] = 0
    film[:, :3] = 60_000
    with pytest.raises(BadStudy, match="3 vertebrae were found, at least 5 are needed"):
        run(Image(film, "DX"), corners)


def test_a_black_film_is_refused() -> None:
    with pytest.raises(BadStudy, match="the film shows nothing"):
        run(Image(np.zeros(WILD, np.uint16), "DX"), wild(SINGLE))


@pytest.mark.parametrize(
    ("role", "message"),
    [
        ("whole_spine", "maps holds 1 values that are not finite"),
        ("vertebra_boxes", "maps holds 1 values that are not finite"),
        ("region_head", "the detector's scores hold 1"),
        ("corner_maps", "maps of boxes or corners hold values that are not finite"),
    ],
)
def test_values_that_are_not_finite_end_in_an_error(role: str, message: str) -> None:
    corners = wild(SINGLE)
    networks, settings = peeled(lambda code: corners[code])
    honest = networks[role].answer

    def broken(image: NDArray[np.float32]) -> Any:
        first, *others = (np.array(each, np.float64) for each in honest(image))
        first.reshape(-1)[0] = np.nan
        return [first, *others]

    networks[role].answer = broken
    with pytest.raises(BadNetwork, match=message):
        peeled_corners.run(Image(coded_film(corners, WILD), "DX"), networks, settings, Stopwatch())


@pytest.mark.parametrize(
    ("role", "outputs", "message"),
    [
        ("whole_spine", [(None, 2, 256, 128)], r"expected \[N, 1, 512, 256\] -> \[N, 1 or more, 512, 256\]"),
        ("vertebra_boxes", [(None, 16, 512, 256)], r"\[N, 17 or more, 512, 256\]"),
        ("region_head", [(None, 17), (None, 4)], "scores of the 17 vertebrae"),
        ("corner_maps", [(None, 3, 96, 128)], r"\[N, 4 or more, 96, 128\]"),
    ],
)
def test_networks_of_other_tensors_are_refused(role: str, outputs: Any, message: str) -> None:
    networks, settings = peeled(lambda code: np.zeros((4, 2)))
    specs = {name: network.spec for name, network in networks.items()}
    tensors = tuple(TensorSpec(f"t{n}", "float32", shape) for n, shape in enumerate(outputs))
    specs[role] = msgspec.structs.replace(specs[role], outputs=tensors)
    with pytest.raises(BadBundle, match=message):
        peeled_corners.check(specs, settings)


def test_settings_are_read_from_the_plain_values_of_a_bundle() -> None:
    _, settings = peeled(lambda code: np.zeros((4, 2)))
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(settings)), peeled_corners.Settings) == settings
