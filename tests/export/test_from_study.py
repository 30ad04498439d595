"""Golden inputs from a study: what the pipeline feeds its network, in 256 levels."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from spinert import kernels
from spinert.bundle import Bundle
from spinert.errors import BadGeometry, ExportFailed
from spinert.export.from_study import _rounded, inputs_from_study
from spinert.findings import Finding
from spinert.image import Image
from spinert.runtime import golden
from spinert.runtime.backends import ort
from spinert.runtime.dicom import read
from spinert.runtime.network import Network
from tests.bundles import SIZE, write_bundle

STUDY = Path(__file__).parents[2] / "examples" / "study.dcm"
HEATMAPS = np.random.default_rng(0).normal(0, 1, (68, SIZE[0] // 4, SIZE[1] // 4)).astype(np.float32)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return write_bundle(tmp_path / "truth", HEATMAPS)


@pytest.fixture
def network(bundle: Bundle) -> Network:
    return ort.open_network(bundle.network_file("landmarks", "fp32"), bundle.manifest.networks["landmarks"], threads=1)


def test_they_are_what_the_pipeline_prepares_in_256_levels(bundle: Bundle, network: Network) -> None:
    made = inputs_from_study(STUDY, bundle.manifest, {"landmarks": network})["landmarks"]
    with STUDY.open("rb") as file:
        image = read(file)
    prepared = kernels.prepare_radiograph(
        image.pixels,
        size=SIZE,
        inverted=image.inverted,
        mm_per_pixel_xy=image.mm_per_pixel_xy,
        percentiles=(1.0, 99.0),
    ).pixels
    assert made.keys() == {"image"}
    assert (made["image"].shape, made["image"].dtype) == ((1, 1, *SIZE), np.float32)
    np.testing.assert_allclose(made["image"][0, 0], prepared, atol=0.5 / 255 + 1e-6)
    assert len(np.unique(made["image"])) <= 256


def test_the_same_study_gives_the_same_file_and_a_small_one(bundle: Bundle, network: Network) -> None:
    first, second = (
        golden.encode_golden(inputs_from_study(STUDY, bundle.manifest, {"landmarks": network})["landmarks"])
        for _ in range(2)
    )
    assert first == second
    assert len(first) < 400_000


def test_a_study_without_spacing_is_refused_as_inference_refuses_it(
    bundle: Bundle, network: Network, tmp_path: Path
) -> None:
    PIL.Image.fromarray(np.zeros((40, 30), np.uint8)).save(tmp_path / "photo.png")
    with pytest.raises(BadGeometry, match="does not say how large its pixels are"):
        inputs_from_study(tmp_path / "photo.png", bundle.manifest, {"landmarks": network})


def test_a_network_that_the_pipeline_does_not_call_has_none(
    bundle: Bundle, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spinert.runtime.pipelines.cobb_landmarks.run", lambda *_: [])
    with pytest.raises(ExportFailed, match="'cobb_landmarks' did not call network 'landmarks'"):
        inputs_from_study(STUDY, bundle.manifest, {"landmarks": network})["landmarks"]


def test_every_network_is_recorded_at_its_first_call_though_one_works_on_anothers_results(
    bundle: Bundle, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(image: Image, networks: Any, *_: Any) -> list[Finding]:
        film = np.full((2, 1, *SIZE), 0.25, np.float32)
        first = networks["landmarks"]({"image": film})["heatmaps"]
        networks["patch"]({"image": np.full((1, 1, *SIZE), first[0, 0, 0, 0], np.float32)})
        networks["landmarks"]({"image": film * 2})
        return []

    monkeypatch.setattr("spinert.runtime.pipelines.cobb_landmarks.run", twice)
    monkeypatch.setattr("spinert.runtime.pipelines.cobb_landmarks.NETWORKS", ("landmarks", "patch"))
    specs = dict.fromkeys(("landmarks", "patch"), bundle.manifest.networks["landmarks"])
    manifest = msgspec.structs.replace(bundle.manifest, networks=specs)
    made = inputs_from_study(STUDY, manifest, dict.fromkeys(specs, network))
    assert made["landmarks"]["image"].shape == (1, 1, *SIZE)
    assert (made["landmarks"]["image"] == np.float32(0.25)).all()
    assert (made["patch"]["image"] == HEATMAPS[0, 0, 0]).all()


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(-1000, 3000, 5000, dtype=np.float32),
        np.full(9, 0.25, np.float32),
        np.linspace(0, 1, 999, dtype="f2"),
    ],
    ids=["wide", "constant", "half"],
)
def test_rounding_keeps_range_and_type(values: NDArray[Any]) -> None:
    rounded = _rounded(values)
    assert rounded.dtype == values.dtype
    assert (rounded.min(), rounded.max()) == (values.min(), values.max())
    assert len(np.unique(rounded)) <= 256
    half_a_step = float(np.ptp(values)) / 255 / 2
    np.testing.assert_allclose(rounded.astype(float), values.astype(float), atol=half_a_step * 1.1)


def test_whole_numbers_are_copied_as_they_are() -> None:
    values = np.array([3, 70000, -5])
    copy = _rounded(values)
    np.testing.assert_array_equal(copy, values)
    assert not np.shares_memory(copy, values)


def test_the_bundle_of_the_study_need_not_be_written_yet(bundle: Bundle, network: Network) -> None:
    elsewhere = msgspec.structs.replace(bundle.manifest, model_card="not written.md", sha256={})
    assert inputs_from_study(STUDY, elsewhere, {"landmarks": network})["landmarks"]["image"].any()
