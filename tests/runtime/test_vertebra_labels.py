"""A perfect network for phantoms, and less perfect ones: what follows is the pipeline's own doing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from spinert import kernels
from spinert.bundle import NetworkSpec, TensorSpec
from spinert.errors import BadBundle, BadNetwork, BadStudy
from spinert.findings import LEVELS, T1_TO_L5, VertebraCentre
from spinert.image import Image
from spinert.runtime import pipelines
from spinert.runtime.pipelines import vertebra_labels
from spinert.runtime.stopwatch import Stopwatch
from tests import phantoms, phantoms_sagittal
from tests.phantoms_sagittal import C1_TO_L5

SIZE = (256, 128)
SETTINGS = vertebra_labels.Settings(
    class_names=C1_TO_L5,
    views=("lateral",),
    temperature=0.02,
    confidence_radius_cells=3,
    least_confidence=0.3,
    farthest_from_peak_px=6.0,
)
CORONAL = msgspec.structs.replace(SETTINGS, class_names=T1_TO_L5, views=("AP", "PA"))


def specs(levels: int = 24, stride: int = 1, size: tuple[int, int] = SIZE) -> tuple[TensorSpec, ...]:
    height, width = size
    return (
        TensorSpec("maps", "float32", (None, levels + 1, height // stride, width // stride)),
        TensorSpec("uncorrected", "float32", (None, levels, 2)),
        TensorSpec("coordinates", "float32", (None, levels, 2)),
    )


@dataclass
class Perfect:
    """A `Network` that answers with true centres [n, 2] in pixels of its input, and a map for each that is shown."""

    centres: NDArray[np.float64]
    shown: NDArray[np.bool_]
    stride: int = 1
    inputs: tuple[TensorSpec, ...] = (TensorSpec("image", "float32", (None, 1, *SIZE)),)
    backend: str = "none"
    provider: str = "none"

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        return specs(len(self.centres), self.stride)

    def __call__(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        assert arrays["image"].shape == (1, 1, *SIZE)
        cells = (self.centres + 0.5) / self.stride - 0.5
        y, x = np.mgrid[0 : SIZE[0] // self.stride, 0 : SIZE[1] // self.stride]
        squared = (x - cells[:, :1, None]) ** 2 + (y - cells[:, 1:, None]) ** 2
        maps = np.exp(-squared / 8) * self.shown[:, None, None]
        together = np.concatenate([1 - maps.max(axis=0, keepdims=True), maps])
        return {
            "maps": together[None].astype(np.float32),
            "uncorrected": self.centres[None].astype(np.float32),
            "coordinates": self.centres[None].astype(np.float32),
        }

    def close(self) -> None:
        pass


def perfect(
    image: Image, centres: NDArray[np.float64], shown: Sequence[bool] | None = None, stride: int = 1
) -> Perfect:
    plane = kernels.prepare_radiograph(image.pixels, size=SIZE, mm_per_pixel_xy=image.mm_per_pixel_xy).map
    return Perfect(plane.to_network(centres), np.ones(len(centres), bool) if shown is None else np.array(shown), stride)


def lateral(seed: int, *, whole: bool = True) -> tuple[Image, phantoms_sagittal.SagittalPhantom]:
    film = phantoms_sagittal.random_phantom(np.random.default_rng(seed), whole=whole)
    mm = (film.spacing_mm, film.spacing_mm)
    return Image(film.pixels, "DX", spacing_mm=mm, spacing_kind="given", view="LL"), film


def run(image: Image, network: Perfect, settings: vertebra_labels.Settings = SETTINGS) -> list[VertebraCentre]:
    found = vertebra_labels.run(image, {"labels": network}, settings, Stopwatch())
    return [finding for finding in found if isinstance(finding, VertebraCentre)]


def centres_of(found: list[VertebraCentre]) -> NDArray[np.float64]:
    return np.array([finding.centre_px for finding in found])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_perfect_network_gives_every_level_of_a_lateral_film_where_it_is(seed: int, stride: int) -> None:
    image, film = lateral(seed)
    found = run(image, perfect(image, film.centres_px, stride=stride))
    assert tuple(finding.level for finding in found) == C1_TO_L5
    assert [finding.flags for finding in found] == [()] * 24
    np.testing.assert_allclose(centres_of(found), film.centres_px, atol=0.01)
    np.testing.assert_allclose([f.centre_mm for f in found], film.centres_px * film.spacing_mm, atol=0.01)
    assert min(finding.confidence for finding in found) > 0.8


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("levels", [17, 24])
def test_a_perfect_network_gives_every_level_of_a_frontal_film_where_it_is(seed: int, levels: int) -> None:
    # the network may know T1..L5 alone, or C1..L5 of which the bundle reports these
    film = phantoms.random_phantom(np.random.default_rng(seed))
    image = Image(film.pixels, "DX", spacing_mm=(0.5, 0.45), spacing_kind="given", view="PA")
    centres = film.corners_px.mean(axis=1)
    known = np.concatenate([np.zeros((levels - 17, 2)), centres])
    found = run(image, perfect(image, known, [False] * (levels - 17) + [True] * 17), CORONAL)
    assert tuple(finding.level for finding in found) == T1_TO_L5
    assert [finding.flags for finding in found] == [()] * 17
    np.testing.assert_allclose(centres_of(found), centres, atol=0.01)
    np.testing.assert_allclose([f.centre_mm for f in found], centres * (0.45, 0.5), atol=0.01)


@pytest.mark.parametrize("seed", range(8))
def test_a_film_of_a_part_gives_the_levels_that_it_shows(seed: int) -> None:
    image, film = lateral(seed, whole=False)
    found = run(image, perfect(image, film.centres_px, film.visible.tolist()))
    assert [f.level for f in found] == [level for level, seen in zip(C1_TO_L5, film.visible, strict=True) if seen]
    assert len(found) < 24
    np.testing.assert_allclose(centres_of(found), film.centres_px[film.visible], atol=0.01)


def test_without_spacing_there_are_no_millimetres() -> None:
    image, film = lateral(0)
    found = run(replace(image, spacing_mm=None, spacing_kind="none"), perfect(image, film.centres_px))
    assert {finding.centre_mm for finding in found} == {None}


# --- networks that are wrong


def test_a_level_that_is_not_seen_between_others_is_flagged_and_stays() -> None:
    image, film = lateral(1)
    shown = [level != "T6" for level in C1_TO_L5]
    flags = {finding.level: finding.flags for finding in run(image, perfect(image, film.centres_px, shown))}
    assert list(flags) == list(C1_TO_L5)
    assert flags.pop("T6")[0] == "low_confidence"
    assert set(flags.values()) == {()}


def test_two_peaks_in_a_map_make_a_level_unsure() -> None:
    image, film = lateral(1)
    network = perfect(image, film.centres_px)

    class Doubled(Perfect):
        def __call__(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
            answer = super().__call__(arrays)
            maps = answer["maps"][0]
            maps[1 + 12] = np.maximum(maps[1 + 12], maps[1 + 13])
            return answer

    found = run(image, Doubled(network.centres, network.shown))
    assert found[12].confidence == pytest.approx(0.5, abs=0.1)
    assert found[13].confidence > 0.8


def test_a_centre_that_was_moved_away_from_its_map_is_flagged() -> None:
    image, film = lateral(2)
    network = perfect(image, film.centres_px)

    class Moved(Perfect):
        def __call__(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
            answer = super().__call__(arrays)
            answer["coordinates"][0, 15, 0] += 8
            return answer

    found = run(image, Moved(network.centres, network.shown))
    assert [finding.level for finding in found if "off_peak" in finding.flags] == [C1_TO_L5[15]]


def test_two_levels_in_each_others_place_are_out_of_order() -> None:
    image, film = lateral(3)
    swapped = film.centres_px.copy()
    swapped[[10, 11]] = swapped[[11, 10]]
    out = [f.level for f in run(image, perfect(image, swapped)) if "out_of_order" in f.flags]
    assert {C1_TO_L5[10], C1_TO_L5[11]} <= set(out)
    assert len(out) <= 4


def test_a_spine_on_its_head_is_out_of_order_from_end_to_end() -> None:
    image, film = lateral(3)
    found = run(image, perfect(image, film.centres_px[::-1]))
    assert all("out_of_order" in finding.flags for finding in found)


def test_a_vertebra_that_was_skipped_is_seen_by_its_gap() -> None:
    image, film = lateral(4)
    # from L1 on every level is given to the vertebra below it; the last one has no place of its own
    skipped = np.vstack([film.centres_px[:19], film.centres_px[20:], film.centres_px[-1] + np.array([0, 40])])
    jumps = [f.level for f in run(image, perfect(image, skipped)) if "spacing_jump" in f.flags]
    assert {"T12", "L1"} <= set(jumps)
    assert set(jumps) <= {"T12", "L1", "L4", "L5"}


def test_a_centre_outside_the_film_is_left_out_at_an_end_and_flagged_between_others() -> None:
    image, film = lateral(5)
    centres = film.centres_px.copy()
    centres[0, 1], centres[12, 0] = -30.0, -20.0
    network = perfect(image, centres)
    found = run(image, network)
    assert found[0].level == "C2"
    assert [finding.level for finding in found if "outside_image" in finding.flags] == [C1_TO_L5[12]]


@pytest.mark.parametrize("output", ["maps", "coordinates"])
def test_values_that_are_not_finite_are_an_error(output: str) -> None:
    image, film = lateral(0)
    network = perfect(image, film.centres_px)

    class Broken(Perfect):
        def __call__(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
            answer = super().__call__(arrays)
            answer[output].reshape(-1)[-1] = np.nan
            return answer

    with pytest.raises(BadNetwork, match="not finite"):
        run(image, Broken(network.centres, network.shown))


def test_a_black_film_has_no_vertebrae_and_says_so() -> None:
    image = Image(np.zeros((900, 400), np.uint16), "DX", view="LL")
    nothing = Perfect(np.full((24, 2), 60.0), np.zeros(24, bool))
    with pytest.raises(BadStudy, match="the film shows nothing"):
        run(image, nothing)


def test_a_film_without_a_vertebra_says_so() -> None:
    nothing = Perfect(np.full((24, 2), 60.0), np.zeros(24, bool))
    with pytest.raises(BadStudy, match=r"none of the vertebrae C1\.\.L5 was found: .* least_confidence is 0\.3"):
        run(Image(np.tile(np.arange(400, dtype=np.uint16), (900, 1)), "DX", view="LL"), nothing)


# --- which films and networks


@pytest.mark.parametrize(
    ("view", "taken_lateral", "taken_frontal"),
    [("LL", True, False), ("LATERAL", True, False), ("AP", False, True), ("PA", False, True), (None, True, True)],
)
def test_the_bundle_says_which_views_it_takes(view: str | None, taken_lateral: bool, taken_frontal: bool) -> None:
    image = Image(np.zeros((64, 64), np.uint8), "DX", view=view)
    both = msgspec.structs.replace(SETTINGS, views=("AP", "PA", "lateral"))
    for settings, taken in ((SETTINGS, taken_lateral), (CORONAL, taken_frontal), (both, True)):
        assert pipelines.accepts(vertebra_labels, settings, image) is taken


def test_a_view_that_no_bundle_of_labels_knows_is_not_taken() -> None:
    assert not vertebra_labels.accepts(Image(np.zeros((64, 64), np.uint8), "DX", view="FRONTAL"))


def network_spec(outputs: tuple[TensorSpec, ...]) -> dict[str, NetworkSpec]:
    inputs = (TensorSpec("image", "float32", (None, 1, *SIZE)),)
    return {"labels": NetworkSpec(inputs=inputs, outputs=outputs, files={"fp32": "labels.onnx"}, opset=20)}


def test_networks_that_know_all_levels_or_those_of_the_bundle_fit() -> None:
    vertebra_labels.check(network_spec(specs()), SETTINGS)
    vertebra_labels.check(network_spec(specs(stride=4)), CORONAL)
    vertebra_labels.check(network_spec(specs(17)), CORONAL)


@pytest.mark.parametrize(
    "outputs",
    [
        specs()[:1],
        specs()[2:],
        specs(17),
        specs(23),
        (specs(17)[0], specs()[2]),
        (specs(size=(128, 128))[0], specs()[2]),
    ],
    ids=["no coordinates", "no maps", "too few levels", "one too few", "maps of other levels", "maps of another shape"],
)
def test_a_network_whose_outputs_do_not_fit_is_refused(outputs: tuple[TensorSpec, ...]) -> None:
    with pytest.raises(BadBundle, match=r"network 'labels' has tensors .*; expected one image"):
        vertebra_labels.check(network_spec(outputs), SETTINGS)


@pytest.mark.parametrize("names", [(), ("T1", "T3"), ("L5", "S1"), LEVELS, ("T2", "T1")], ids=str)
def test_class_names_must_be_consecutive_levels_that_the_network_can_know(names: tuple[str, ...]) -> None:
    with pytest.raises(BadBundle, match=r"expected consecutive vertebrae within C1\.\.L5"):
        vertebra_labels.check(network_spec(specs()), msgspec.structs.replace(SETTINGS, class_names=names))
