"""Angles that a network states: what it is fed, what becomes of its answer, and what is refused or flagged."""

from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.errors import BadBundle, BadNetwork, BadStudy
from spinert.findings import AasceAngles
from spinert.image import Image
from spinert.runtime import pipelines
from spinert.runtime.pipelines import direct_angles
from spinert.runtime.pipelines.direct_angles import IMPLAUSIBLE_ANGLES, NEGATIVE_ANGLE
from spinert.runtime.preparation import Preparation, prepare
from spinert.runtime.stopwatch import Stopwatch
from tests.runtime.pipelines.fakes import Answering

Array = NDArray[Any]

LARGE, SMALL = (128, 64), (64, 32)
FILM = Image(np.random.default_rng(1).integers(0, 4096, (400, 200)).astype(np.uint16), "DX")
TRUTH = np.array([41.25, 20.5, 7.75])


def logits() -> Array:
    """Background, vertebra, gap: a column in the middle with stripes, none of them certain."""
    maps = np.random.default_rng(2).normal(0, 1, (3, *LARGE))
    maps[0] += 3
    maps[1, 10:118, 24:40] += 6
    maps[2, 20:118:12, 24:40] += 12
    return maps


def settings(**given: Any) -> direct_angles.Settings:
    return msgspec.convert({"regress_on": "image", **given}, direct_angles.Settings)


def run(networks: dict[str, Answering], image: Image = FILM, **given: Any) -> AasceAngles:
    numbers = settings(**given)
    direct_angles.check({name: network.spec for name, network in networks.items()}, numbers)
    (found,) = direct_angles.run(image, networks, numbers, Stopwatch())
    assert isinstance(found, AasceAngles)
    return found


def regression(inputs: dict[str, tuple[int, ...]] | None = None, angles: Array = TRUTH, **outputs: Array) -> Answering:
    return Answering(inputs or {"image": (1, *SMALL)}, {"angles": angles, **outputs})


def segmentation(maps: Array) -> Answering:
    return Answering({"image": (1, *LARGE)}, {"mask": maps})


def test_one_network_states_mask_and_angles() -> None:
    network = regression(mask=np.zeros((2, *SMALL)))
    assert run({"regression": network}) == AasceAngles(degrees=(41.25, 20.5, 7.75))
    np.testing.assert_array_equal(network.seen["image"][0, 0], prepare(FILM, SMALL, Preparation()).pixels)


def softmax(maps: Array) -> Array:
    return np.exp(maps) / np.exp(maps).sum(axis=0)


def halved(maps: Array) -> Array:
    """Mean of each two by two cells."""
    c, h, w = maps.shape
    return maps.reshape(c, h // 2, 2, w // 2, 2).mean(axis=(2, 4))


@pytest.mark.parametrize("values", ["softmax", "argmax"])
def test_angles_from_the_mask_alone(values: str) -> None:
    maps = logits()
    expected = softmax(maps) if values == "softmax" else np.eye(3)[maps.argmax(axis=0)].transpose(2, 0, 1)
    network, before = regression({"mask": (3, *SMALL)}), segmentation(maps)
    found = run({"regression": network, "segmentation": before}, regress_on="mask", mask_values=values)
    np.testing.assert_allclose(found.degrees, TRUTH, atol=0.5)
    np.testing.assert_allclose(network.seen["mask"][0], halved(expected), atol=1e-6)


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("values", ["sigmoid", "as_given"])
def test_angles_from_the_image_and_two_boundaries(together: bool, values: str) -> None:
    maps = np.full((2, *SMALL), 0.1)
    maps[0, 5:60, 8:11] = maps[1, 5:60, 20:23] = 0.9
    answer = np.log(maps / (1 - maps)) if values == "sigmoid" else maps
    inputs = {"both": (3, *SMALL)} if together else {"image": (1, *SMALL), "boundaries": (2, *SMALL)}
    network, before = regression(inputs), Answering({"image": (1, *SMALL)}, {"mask": answer})
    found = run({"regression": network, "segmentation": before}, regress_on="image+mask", mask_values=values)
    np.testing.assert_allclose(found.degrees, TRUTH, atol=0.5)
    seen = np.concatenate([network.seen[name][0] for name in inputs])
    np.testing.assert_allclose(seen[0], prepare(FILM, SMALL, Preparation()).pixels, atol=1e-6)
    np.testing.assert_allclose(seen[1:], maps, atol=1e-6)


def test_networks_see_the_film_as_the_preparation_says() -> None:
    before = segmentation(logits())
    networks = {"regression": regression({"mask": (3, *SMALL)}), "segmentation": before}
    run(networks, regress_on="mask", preparation={"contrast": "equalize"})
    expected = prepare(FILM, LARGE, Preparation(contrast="equalize")).pixels
    np.testing.assert_array_equal(before.seen["image"][0, 0], expected)


@pytest.mark.parametrize(
    ("answer", "given", "degrees", "flags"),
    [
        ([50.0, 3.99, 4.0], {"zero_below_degrees": 4.0}, (50.0, 0.0, 4.0), ()),
        ([0.5, 0.25, 0.01], {"scale": 90.0}, (45.0, 22.5, 0.9), ()),
        ([50.0, -0.5, 4.0], {}, (50.0, 0.0, 4.0), (NEGATIVE_ANGLE,)),
        ([50.0, -0.5, 4.0], {"zero_below_degrees": 4.0}, (50.0, 0.0, 4.0), (NEGATIVE_ANGLE,)),
        ([20.0, 24.0, 3.0], {}, (20.0, 24.0, 3.0), ()),
        ([20.0, 26.0, 3.0], {}, (20.0, 26.0, 3.0), (IMPLAUSIBLE_ANGLES,)),
        ([190.0, 26.0, 3.0], {}, (190.0, 26.0, 3.0), (IMPLAUSIBLE_ANGLES,)),
    ],
)
def test_what_becomes_of_an_answer(answer: list[float], given: Any, degrees: Any, flags: Any) -> None:
    found = run({"regression": regression(angles=np.array(answer))}, **given)
    np.testing.assert_allclose(found.degrees, degrees, atol=1e-3)
    assert found.flags == flags


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_angles_that_are_no_numbers_are_the_networks_fault(bad: float) -> None:
    with pytest.raises(BadNetwork, match="the network gives the angles"):
        run({"regression": regression(angles=np.array([bad, 2.0, 3.0]))})


def test_masks_that_are_no_numbers_are_the_networks_fault() -> None:
    maps = logits()
    maps[1, 2, 3] = np.nan
    with pytest.raises(BadNetwork, match="holds 1 values"):
        run({"regression": regression({"m": (3, *SMALL)}), "segmentation": segmentation(maps)}, regress_on="mask")


@pytest.mark.parametrize("values", ["softmax", "argmax", "sigmoid", "as_given"])
def test_a_mask_that_shows_no_spine_is_refused(values: str) -> None:
    maps = np.stack([np.full(LARGE, 9.0 if values in ("softmax", "argmax") else -9.0), np.full(LARGE, -9.0)])
    networks = {"regression": regression({"mask": (2, *SMALL)}), "segmentation": segmentation(maps)}
    with pytest.raises(BadStudy, match=r"no spine was found: its mask covers 0.00% of the film, at least 0.50%"):
        run(networks, regress_on="mask", mask_values=values)
    assert not networks["regression"].seen


@pytest.mark.parametrize("on", ["image", "mask"])
def test_an_all_black_film_is_refused(on: str) -> None:
    networks = {"regression": regression()}
    if on == "mask":
        networks = {"regression": regression({"m": (3, *SMALL)}), "segmentation": segmentation(logits())}
    with pytest.raises(BadStudy, match="the film shows nothing"):
        run(networks, Image(np.zeros((400, 200), np.uint16), "DX"), regress_on=on)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"regress_on": "film"}, "regress_on"),
        ({"mask_values": "hard"}, "mask_values"),
        ({"scale": 0}, "scale"),
        ({"zero_below_degrees": -1}, "zero_below_degrees"),
        ({"least_mask_share": 2}, "least_mask_share"),
        ({"most_excess_degrees": -3}, "most_excess_degrees"),
        ({"zero_below": 4}, "zero_below"),
    ],
)
def test_a_setting_out_of_range_is_named(change: Any, named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named):
        settings(**change)


@pytest.mark.parametrize(
    ("networks", "given", "said"),
    [
        ({"regression": regression()}, {"regress_on": "mask"}, "the bundle has no network 'segmentation'"),
        ({"regression": regression(), "segmentation": segmentation(logits())}, {}, "the bundle has a network"),
        ({"regression": regression({"image": (3, *SMALL)})}, {}, "expected inputs with 1 channels"),
        ({"regression": regression(angles=np.zeros(4))}, {}, r"angles \[N, 3\]"),
        ({"regression": regression()}, {"class_names": ["T1"]}, "names no vertebrae"),
        (
            {"regression": regression({"mask": (3, 64, 30)}), "segmentation": segmentation(logits())},
            {"regress_on": "mask"},
            "in the proportions of the regression, which takes 64 x 30",
        ),
        (
            {"regression": regression({"mask": (2, *SMALL)}), "segmentation": segmentation(logits())},
            {"regress_on": "image+mask"},
            "1 and 3 or 4 channels",
        ),
    ],
)
def test_networks_that_do_not_fit_are_refused(networks: Any, given: Any, said: str) -> None:
    with pytest.raises(BadBundle, match=said):
        run(networks, **given)


def test_an_optional_network_is_called_where_the_bundle_has_it() -> None:
    assert pipelines.called("direct_angles", {"regression": 0}) == ("regression",)
    assert pipelines.called("direct_angles", {"segmentation": 0, "regression": 0}) == ("regression", "segmentation")
    assert pipelines.called("cobb_landmarks", {"landmarks": 0, "segmentation": 0}) == ("landmarks",)
