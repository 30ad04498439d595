"""The clustering pipeline with networks that answer with a phantom's truth: what is wrong here is the geometry's."""

from typing import Any

import numpy as np
import pytest

from spinert.bundle import NetworkSpec, TensorSpec
from spinert.errors import BadBundle
from spinert.findings import T1_TO_L5, AasceAngles, CobbAngle, Vertebra
from spinert.image import Image
from spinert.runtime import cobb, patches
from spinert.runtime.film_regions import prepare_region
from spinert.runtime.intervals import Intervals, Spread
from spinert.runtime.pipelines import clustered_landmarks as pipeline
from spinert.runtime.stopwatch import Stopwatch
from tests import phantoms

COARSE, PATCH, STRIDE, SLOTS = (256, 128), (128, 96), 4, 3
SPREAD = Spread(scale=1.0, floor_degrees=1.0)
FAR = 1e6


def settings(**changes: Any) -> pipeline.Settings:
    numbers: dict[str, Any] = {
        "class_names": T1_TO_L5,
        "patches": pipeline.Patches(height=3.6, step=0.5, beyond=1.25),
        "least_confidence": 0.3,
        "least_cobb_degrees": 10.0,
        "intervals": Intervals(cobb=SPREAD, aasce=(SPREAD,) * 3),
    }
    return pipeline.Settings(**numbers | changes)


class Answering:
    """A network that answers every batch with `answer(images)`."""

    backend, provider = "test", "CPU"

    def __init__(self, size: tuple[int, int], maps: int, answer: Any) -> None:
        cells = (size[0] // STRIDE, size[1] // STRIDE)
        self.inputs = (TensorSpec("image", "float32", (None, 1, *size)),)
        self.outputs = (TensorSpec("heatmaps", "float32", (None, maps, *cells)),)
        self.answer = answer
        self.cells = cells

    def __call__(self, arrays: Any) -> Any:
        return {"heatmaps": self.answer(arrays["image"], self.cells)}

    def close(self) -> None: ...


def gaussians(points: np.ndarray, cells: tuple[int, int], sigma: float, *, margin: int = 0) -> np.ndarray:
    """Logits [n, h, w] of these input pixels (x, y); a flat map for a point outside, or nearer than `margin` cells."""
    at = (points.reshape(-1, 2) + 0.5) / STRIDE - 0.5
    y, x = np.mgrid[0 : cells[0], 0 : cells[1]]
    logits = -((x - at[:, :1, None]) ** 2 + (y - at[:, 1:, None]) ** 2) / (2 * sigma**2)
    outside = ((at < margin) | (at > np.array(cells[::-1]) - 1 - margin)).any(axis=1)
    logits[outside] = 0.0
    return np.maximum(logits, -200.0).astype(np.float32)


class Spine:
    """A phantom and its two perfect networks."""

    def __init__(self, image: Image, corners: np.ndarray) -> None:
        self.image, self.corners = image, corners
        self.shift = np.zeros(2)
        self.hidden: set[int] = set()
        self.unseen: list[int] = []
        self.maps: Any = None
        self.coarse = Answering(COARSE, 68, self._whole)
        self.patches = Answering(PATCH, 4 * SLOTS, self._parts)

    def _whole(self, images: np.ndarray, cells: tuple[int, int]) -> np.ndarray:
        mm = self.image.to_mm(self.corners[:17] + self.shift)
        height, width = np.array(self.image.shape) * np.array(self.image.mm_per_pixel_xy[::-1])
        scale = max(height / COARSE[0], width / COARSE[1])
        margin = (np.array(COARSE[::-1]) - np.array([width, height]) / scale) / 2
        half = np.array(self.image.mm_per_pixel_xy) / 2
        network_px = (mm + half) / scale + margin - 0.5
        answer = gaussians(network_px, cells, 1.5)
        answer.reshape(-1, 4, *cells)[self.unseen] = 0.0
        return answer[None]

    def _parts(self, images: np.ndarray, cells: tuple[int, int]) -> np.ndarray:
        truth = self.image.to_mm(self.corners)
        in_patch = (truth[None] - self.maps.origin[:, None, None]) @ np.linalg.inv(self.maps.matrix).swapaxes(-1, -2)[
            :, None
        ]
        answers = np.zeros((len(images), 4 * SLOTS, *cells), np.float32)
        for k, quads in enumerate(in_patch):
            middle = quads.mean(axis=1)
            nearest = int(np.linalg.norm(middle - (np.array(PATCH[::-1]) - 1) / 2, axis=1).argmin())
            for slot in range(SLOTS):
                v = nearest + slot - 1
                if 0 <= v < len(quads) and v not in self.hidden:
                    answers[k, 4 * slot : 4 * slot + 4] = gaussians(quads[v], cells, 1.0, margin=2)
        return answers

    def run(self, **changes: Any) -> list[Any]:
        networks = {"coarse": self.coarse, "patches": self.patches}
        return pipeline.run(self.image, networks, settings(**changes), Stopwatch())


def spine_of(seed: int, *, spacing: tuple[float, float] | None = None, inverted: bool = False) -> Spine:
    """A random curve; with unequal spacing the same body is sampled by other pixels."""
    rng = np.random.default_rng(seed)
    phantom = phantoms.random_phantom(rng)
    pixels = (4095 - phantom.pixels).astype(np.uint16) if inverted else phantom.pixels
    image = Image(pixels, "DX", spacing_mm=spacing, spacing_kind="given" if spacing else "none", inverted=inverted)
    return Spine(image, phantom.corners_px)


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> list[Spine]:
    """The spines whose patch network is told where the patches lie; a network sees that in the picture."""
    spines: list[Spine] = []
    lay = patches.patch_maps

    def told(*arguments: Any, **keywords: Any) -> Any:
        maps = lay(*arguments, **keywords)
        for spine in spines:
            spine.maps = maps
        return maps

    monkeypatch.setattr(patches, "patch_maps", told)
    return spines


def of(kind: type, findings: list[Any]) -> list[Any]:
    return [finding for finding in findings if isinstance(finding, kind)]


def check_truth(spine: Spine, findings: list[Any]) -> None:
    vertebrae = of(Vertebra, findings)
    assert [vertebra.level for vertebra in vertebrae] == list(T1_TO_L5)
    found = np.array([vertebra.corners_px for vertebra in vertebrae])
    assert np.abs(found - spine.corners[:17]).max() < 1.0
    (angles,) = of(AasceAngles, findings)
    truth = cobb.aasce_angles(spine.corners[:17], spine.image.shape[0])
    np.testing.assert_allclose(angles.degrees, truth, atol=0.5)
    curves = cobb.clinical_curves(spine.image.to_mm(spine.corners[:17]), T1_TO_L5)
    for curve, finding in zip(curves, of(CobbAngle, findings), strict=True):
        assert finding.degrees == pytest.approx(curve.degrees, abs=0.5)
        assert finding.degrees_95[0] < curve.degrees < finding.degrees_95[1]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("spacing", "inverted"), [(None, False), ((0.2, 0.2), True), ((0.2, 0.17), False)])
def test_a_phantom_gives_its_angles_and_labels(
    watched: list[Spine], seed: int, spacing: tuple[float, float] | None, inverted: bool
) -> None:
    spine = spine_of(seed, spacing=spacing, inverted=inverted)
    watched.append(spine)
    check_truth(spine, spine.run())


def test_the_film_and_its_patches_are_seen_in_the_mirror_as_well(watched: list[Spine]) -> None:
    spine = spine_of(1)
    watched.append(spine)
    upright, calls = spine.patches.answer, []

    def answer(images: np.ndarray, cells: tuple[int, int]) -> np.ndarray:
        calls.append(images.copy())
        answers = upright(images, cells)
        return patches.unmirrored(answers) if len(calls) == 2 else answers  # mirroring is its own inverse

    films = []

    def of_film(images: np.ndarray, cells: tuple[int, int]) -> np.ndarray:
        films.append(images.copy())
        answers = spine._whole(images, cells)
        return patches.unmirrored(answers) if len(films) == 2 else answers

    spine.patches.answer, spine.coarse.answer = answer, of_film
    check_truth(spine, spine.run(mirrored=True))
    for upright_ones, mirrored_ones in (calls, films):
        np.testing.assert_array_equal(mirrored_ones, upright_ones[..., ::-1])


def test_rough_positions_may_be_off_by_less_than_half_a_vertebra(watched: list[Spine]) -> None:
    spine = spine_of(2)
    watched.append(spine)
    pitch = np.diff(spine.corners.mean(axis=1)[:, 1]).mean()
    spine.shift = np.array([0.2 * pitch, 0.35 * pitch])
    check_truth(spine, spine.run())


@pytest.mark.parametrize("unseen", [[0], [16], [7, 8]])
def test_levels_that_the_coarse_maps_say_nothing_of_are_found_by_their_neighbours(
    watched: list[Spine], unseen: list[int]
) -> None:
    spine = spine_of(3)
    watched.append(spine)
    spine.unseen = unseen
    check_truth(spine, spine.run())


def test_an_eighteenth_vertebra_is_left_out(watched: list[Spine]) -> None:
    spine = spine_of(3)
    watched.append(spine)
    spine.corners = np.concatenate([spine.corners, spine.corners[-1:] * 2 - spine.corners[-2:-1]])
    check_truth(spine, spine.run())


def test_a_vertebra_without_votes_is_the_rough_one_and_flagged(watched: list[Spine]) -> None:
    spine = spine_of(0)
    watched.append(spine)
    spine.hidden = {6}
    vertebrae = of(Vertebra, spine.run())
    assert pipeline.ROUGH_POSITION in vertebrae[6].flags
    assert vertebrae[6].confidence == 0
    assert all(pipeline.ROUGH_POSITION not in vertebra.flags for v, vertebra in enumerate(vertebrae) if v != 6)
    assert np.abs(np.array(vertebrae[6].corners_px) - spine.corners[6]).max() < 4.0


@pytest.mark.parametrize(("reach", "flag"), [(None, pipeline.ROUGH_POSITION), (0.4, "low_confidence")])
def test_few_votes_make_no_cluster_but_a_vertebra_where_levels_gather_them(
    watched: list[Spine], reach: float | None, flag: str
) -> None:
    spine = spine_of(0)
    watched.append(spine)
    everything = spine.patches.answer

    def answer(images: np.ndarray, cells: tuple[int, int]) -> np.ndarray:
        """Vertebra 6 is seen in one patch of six."""
        answers = everything(images, cells)
        spine.hidden = {6}
        hidden = everything(images, cells)
        spine.hidden = set()
        seen = np.flatnonzero((answers != hidden).any(axis=(1, 2, 3)))
        middle = seen[len(seen) // 2]
        hidden[middle] = answers[middle]
        return hidden

    spine.patches.answer = answer
    vertebrae = of(Vertebra, spine.run(reach=reach))
    assert vertebrae[6].flags[0] == flag
    off = np.abs(np.array(vertebrae[6].corners_px) - spine.corners[6]).max()
    assert off < 1.0 if reach else off < 4.0


@pytest.mark.parametrize("spacing", [None, (0.2, 0.17)])
def test_a_spine_that_is_a_small_part_of_the_film_is_looked_at_again(
    watched: list[Spine], monkeypatch: pytest.MonkeyPatch, spacing: tuple[float, float] | None
) -> None:
    phantom = phantoms.random_phantom(np.random.default_rng(2))
    film = np.pad(phantom.pixels, ((700, 500), (300, 200)), mode="edge")
    image = Image(film, "DX", spacing_mm=spacing, spacing_kind="given" if spacing else "none")
    spine = Spine(image, phantom.corners_px + np.array([300, 700]))
    watched.append(spine)
    seen = []

    def looked(image: Image, part: Any, size: tuple[int, int], preparation: Any) -> Any:
        prepared = prepare_region(image, part, size, preparation)
        seen.append((part, prepared.map))
        return prepared

    monkeypatch.setattr(pipeline, "prepare_region", looked)
    spine.coarse.answer = lambda images, cells: gaussians(seen[-1][1].to_network(spine.corners), cells, 1.5)[None]
    check_truth(spine, spine.run())
    assert len(seen) == 1
    check_truth(spine, spine.run(closer=pipeline.Closer(below=0.7, margins=(0.1, 0.2))))
    assert len(seen) == 3
    part = seen[-1][0]
    top, bottom = spine.corners[..., 1].min(), spine.corners[..., 1].max()
    assert (top - part.top) / (bottom - top) == pytest.approx(0.1, abs=0.02)
    assert (part.bottom - bottom) / (bottom - top) == pytest.approx(0.2, abs=0.02)
    check_truth(spine, spine.run(closer=pipeline.Closer(below=0.3, margins=(0.1, 0.2))))
    assert len(seen) == 4, "the spine fills a third of the film"


def test_nothing_in_the_patches_leaves_flagged_rough_positions(watched: list[Spine]) -> None:
    spine = spine_of(0)
    watched.append(spine)
    spine.hidden = set(range(17))
    findings = spine.run()
    assert all(pipeline.ROUGH_POSITION in vertebra.flags for vertebra in of(Vertebra, findings))
    assert all(finding.flags for finding in findings)


def test_levels_that_the_coarse_maps_hardly_tell_are_flagged(watched: list[Spine]) -> None:
    spine = spine_of(0)
    watched.append(spine)
    findings = spine.run(least_level_margin=1e9)
    assert all(pipeline.UNCERTAIN_LEVEL in vertebra.flags for vertebra in of(Vertebra, findings))
    assert all(pipeline.UNCERTAIN_LEVEL not in vertebra.flags for vertebra in of(Vertebra, spine.run()))


def test_without_fitted_numbers_there_is_no_interval(watched: list[Spine]) -> None:
    spine = spine_of(1)
    watched.append(spine)
    findings = spine.run(intervals=None)
    assert [finding.degrees_95 for finding in of(AasceAngles, findings)] == [None]


def spec(maps: int, shape: tuple[int | None, ...] = (None, 1, 256, 128)) -> NetworkSpec:
    target = (None, maps, 64, 32)
    return NetworkSpec((TensorSpec("image", "float32", shape),), (TensorSpec("heatmaps", "float32", target),), {}, 20)


@pytest.mark.parametrize(
    ("changes", "networks", "said"),
    [
        ({}, {"coarse": spec(64), "patches": spec(12)}, "'coarse' has tensors .* expected .*68"),
        ({}, {"coarse": spec(68), "patches": spec(8)}, "'patches' has tensors .* expected .*4, 12, 20"),
        ({}, {"coarse": spec(68), "patches": spec(12, (None, 3, 256, 128))}, "'patches' has tensors"),
        ({"class_names": ("T1", "T3")}, {"coarse": spec(8), "patches": spec(12)}, "consecutive"),
    ],
)
def test_networks_that_do_not_fit_are_refused(changes: Any, networks: Any, said: str) -> None:
    with pytest.raises(BadBundle, match=said):
        pipeline.check(networks, settings(**changes))


def test_networks_that_fit_are_taken() -> None:
    pipeline.check({"coarse": spec(68), "patches": spec(12)}, settings())
