"""Bundles of several networks from end to end: ensembles, members, fusions, and what cannot be run is said."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spinert.errors import BadBundle, BadNetwork, BadStudy
from spinert.export.triton import write_repository
from spinert.findings import AasceAngles, CobbAngle, Result, Vertebra
from spinert.image import Image
from spinert.runtime import pipelines
from spinert.runtime.infer import load
from spinert.runtime.members import members_of, networks_of
from spinert.runtime.pipelines import cobb_landmarks
from spinert.runtime.verify import verify
from tests import phantoms
from tests.bundles import SETTINGS, SIZE, heatmaps_at, write_several

IMAGE = Image(np.random.default_rng(0).integers(0, 255, SIZE).astype(np.uint8), "DX", spacing_mm=(0.2, 0.2), view="AP")
"""As large as the networks' input, so that pixels of the network are pixels of the image."""


def spine(upper: float) -> NDArray[np.float64]:
    """A curve of `upper` + 25 degrees from T5 to T11, one of `upper` above and one of 35 below it."""
    tilts = np.interp(np.arange(17), [0, 4, 10, 16], [0.0, upper, -25.0, 10.0])
    return phantoms.spine_corners(tilts, (48.0, 14.0), 160.0)


def answers(**upper: float) -> dict[str, NDArray[np.float32]]:
    return {name: heatmaps_at(spine(each)) for name, each in upper.items()}


def member(player: str) -> dict[str, Any]:
    return {"pipeline": "cobb_landmarks", "networks": {"landmarks": player}, "settings": SETTINGS}


def examined(folder: Path) -> Result:
    with load(folder, threads=1, backend="ort") as model:
        return model.infer_images([IMAGE]).result


def largest_curve(result: Result) -> float:
    return max(each.degrees for each in result.findings if isinstance(each, CobbAngle))


def corners(result: Result) -> NDArray[np.float64]:
    return np.array([each.corners_px for each in result.findings if isinstance(each, Vertebra)])


def test_a_pipeline_sees_an_ensemble_as_one_network(tmp_path: Path) -> None:
    # the product of two Gaussians of one width is the Gaussian half-way between them
    maps = answers(a=20.0, b=20.0)
    maps["b"] = heatmaps_at(spine(20.0) + np.array([2.0, 1.0]))
    ensembles = {"landmarks": {"networks": ["a", "b"], "weights": [3.0, 1.0]}}
    bundle = write_several(tmp_path / "truth", maps, ensembles=ensembles)
    result = examined(bundle.folder)
    np.testing.assert_allclose(corners(result), spine(20.0) + np.array([0.5, 0.25]), atol=0.02)
    assert result.warnings == ()
    assert result.provenance.backend == "onnxruntime"


def test_a_mean_of_means(tmp_path: Path) -> None:
    # maps are averaged within each ensemble and angles over the ensembles, as Dubost et al. (2019) do
    bundle = write_several(
        tmp_path / "truth",
        answers(a=20.0, b=20.0, c=24.0, d=24.0),
        ensembles={"landmarks": {"networks": ["a", "b"]}, "second": {"networks": ["c", "d"]}},
        members={"other": member("second")},
        fusion={"method": "mean", "weights": [3.0, 1.0]},
    )
    result = examined(bundle.folder)
    assert largest_curve(result) == pytest.approx(46.0, abs=0.2)
    np.testing.assert_allclose(corners(result), spine(20.0), atol=0.02)
    assert list(result.timings_ms) == ["prepare", "network", "decode", "geometry", "fusion"]


def test_a_vote_of_three(tmp_path: Path) -> None:
    bundle = write_several(
        tmp_path / "truth",
        answers(landmarks=20.0, second=20.0, third=32.0),
        members={"two": member("second"), "three": member("third")},
        fusion={"method": "vote", "side_ratio": 1.5},
    )
    result = examined(bundle.folder)
    assert largest_curve(result) == pytest.approx(49.0, abs=0.2)
    (angles,) = [each for each in result.findings if isinstance(each, AasceAngles)]
    assert angles.degrees == pytest.approx((49.0, 24.0, 35.0), abs=0.2)
    assert angles.flags == ("members_disagree",)
    assert any("'truth' 45.0" in each and "'three' 57.0" in each for each in result.warnings)


def fused(folder: Path) -> Path:
    return write_several(
        folder / "truth",
        answers(landmarks=20.0, second=22.0),
        members={"other": member("second")},
        fusion={"method": "mean"},
    ).folder


@pytest.mark.parametrize("refusing", [["other"], ["truth"], ["truth", "other"]])
def test_a_member_that_refuses_the_film_is_left_out_unless_all_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusing: Sequence[str]
) -> None:
    run, calls = cobb_landmarks.run, iter(["truth", "other"])

    def picky(*arguments: Any) -> Any:
        if next(calls) in refusing:
            raise BadStudy("no spine is in it", "give another film")
        return run(*arguments)

    folder = fused(tmp_path)
    monkeypatch.setattr(cobb_landmarks, "run", picky)
    if len(refusing) == 2:
        with pytest.raises(BadStudy, match="no spine is in it"):
            examined(folder)
        return
    result = examined(folder)
    assert f"member {refusing[0]!r} was left out: no spine is in it" in result.warnings
    assert all("not_all_members" in each.flags for each in result.findings if isinstance(each, CobbAngle))


def test_a_network_that_fails_fails_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise BadNetwork("values are not finite", "export again")

    folder = fused(tmp_path)
    monkeypatch.setattr(cobb_landmarks, "run", broken)
    with pytest.raises(BadNetwork, match="values are not finite"):
        examined(folder)


def test_every_member_must_accept_the_film(tmp_path: Path) -> None:
    with load(fused(tmp_path), threads=1) as model, pytest.raises(BadStudy, match="cobb_landmarks takes one AP or PA"):
        model.infer_images([Image(IMAGE.pixels, "DX", view="LL")])


def test_a_closed_model_has_closed_all_its_networks(tmp_path: Path) -> None:
    with load(fused(tmp_path), threads=1) as model:
        pass
    with pytest.raises(BadNetwork, match="was closed"):
        model.infer_images([IMAGE])


def test_only_networks_that_play_a_role_are_opened(tmp_path: Path) -> None:
    bundle = write_several(
        tmp_path / "truth",
        answers(idle=0.0, a=20.0, b=20.0, c=20.0),
        ensembles={"landmarks": {"networks": ["a", "b"]}, "idle_too": {"networks": ["idle", "c"]}},
        members={"other": member("b")},
        fusion={"method": "mean"},
    )
    assert networks_of(bundle.manifest) == ("a", "b")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "pipeline 'cobb_landmarks' needs landmarks, bundle 'truth' has a, b"),
        (
            {
                "ensembles": {"landmarks": {"networks": ["a", "b"]}},
                "members": {"other": {**member("a"), "networks": {"corners": "a"}}},
                "fusion": {"method": "mean"},
            },
            "member 'other' has networks for corners, pipeline 'cobb_landmarks' has only landmarks",
        ),
        (
            {
                "ensembles": {"landmarks": {"networks": ["a", "b"]}},
                "members": {"other": {**member("a"), "settings": SETTINGS | {"least_confidence": 2.0}}},
                "fusion": {"method": "mean"},
            },
            "settings of member 'other': .*least_confidence",
        ),
        (
            {
                "ensembles": {"landmarks": {"networks": ["a", "b"]}},
                "members": {"other": {**member("a"), "class_names": ["T1", "T2"]}},
                "fusion": {"method": "mean"},
            },
            r"\[N, 8, H/s, W/s\]",
        ),
        (
            {
                "ensembles": {"landmarks": {"networks": ["a", "b"]}},
                "members": {"other": {**member("a"), "pipeline": "none"}},
                "fusion": {"method": "mean"},
            },
            "no pipeline 'none', only: .*cobb_landmarks",
        ),
    ],
)
def test_what_does_not_fit_a_pipeline_is_refused_when_the_bundle_is_opened(
    tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    bundle = write_several(tmp_path / "truth", answers(a=20.0, b=20.0), **fields)
    with pytest.raises(BadBundle, match=message):
        load(bundle.folder)


def test_one_network_plays_one_role_of_a_pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # what it returned in one role would be overwritten when it is called in the other
    monkeypatch.setattr(cobb_landmarks, "NETWORKS", ("landmarks", "patch"))
    bundle = write_several(
        tmp_path / "truth",
        answers(landmarks=20.0, other=20.0),
        ensembles={"patch": {"networks": ["other", "landmarks"]}},
    )
    with pytest.raises(BadBundle, match="landmarks would play several roles of bundle 'truth'"):
        members_of(bundle.manifest)


def test_the_settings_of_the_bundles_own_pipeline_see_the_ensemble(tmp_path: Path) -> None:
    ensembles = {"landmarks": {"networks": ["a", "b"]}}
    manifest = write_several(tmp_path / "truth", answers(a=20.0, b=20.0), ensembles=ensembles).manifest
    assert pipelines.settings_of(manifest) == members_of(manifest)[0].settings


def test_verify_compares_every_network_and_the_fused_findings(tmp_path: Path) -> None:
    bundle = write_several(
        tmp_path / "truth",
        answers(a=20.0, b=20.0, c=24.0),
        ensembles={"landmarks": {"networks": ["a", "b"]}},
        members={"other": member("c")},
        fusion={"method": "mean"},
    )
    (row,) = verify(bundle, backend="ort").rows
    assert [each.network for each in row.tensors] == ["a", "b", "c"]
    assert row.agrees
    assert row.clinical is not None
    assert row.clinical.curve_degrees is not None
    assert (row.clinical.images, row.clinical.curve_degrees.count) == (1, 3)


def test_a_golden_input_that_is_no_film_is_named_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(*_: Any) -> Any:
        raise BadStudy("no spine is in it", "give another film")

    folder = fused(tmp_path)
    monkeypatch.setattr(cobb_landmarks, "run", refusing)
    found = verify(load(folder, threads=1).bundle, backend="ort")
    assert found.golden_images == 0
    assert found.left_out == ("golden input of landmarks: no spine is in it",)
    assert found.agrees


def test_a_model_repository_has_every_network(tmp_path: Path) -> None:
    with load(fused(tmp_path), threads=1) as model:
        written = write_repository(model.bundle, tmp_path / "models")
    assert written.models == ("truth_landmarks", "truth_second")
