"""Targets of training hold the truth, every task can be learned, and a training goes on where it was stopped."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainings need torch")
cv2 = pytest.importorskip("cv2", reason="the trainings need OpenCV")

from examples import train_system  # noqa: E402
from examples.training import augment, boxes, crops, films, heatmaps, masks, regions, system, task  # noqa: E402
from spinert import kernels  # noqa: E402
from spinert.export import recipes  # noqa: E402
from spinert.runtime.anchors import decode_boxes  # noqa: E402
from spinert.runtime.preparation import Preparation  # noqa: E402
from tests import phantoms  # noqa: E402

SYSTEMS = sorted(Path("examples/systems").glob("*.json"))
NETWORKS = [(path, name) for path in SYSTEMS for name in msgspec.json.decode(path.read_bytes())["networks"]]
SIZE = (480, 224)
FILM = (192, 96)
"""In place of the configurations' own, where a few steps are to be quick."""


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def film() -> task.Film:
    return films.synthetic(1, 640, Preparation())[0]


@pytest.fixture(scope="module")
def corners() -> np.ndarray[Any, np.dtype[np.float64]]:
    """Of a curved spine that lies within SIZE."""
    tilts = phantoms.random_tilts(np.random.default_rng(3), 25.0)
    return phantoms.spine_corners(tilts, (112.0, 40.0), 400.0)


def ids(pairs: list[tuple[Path, str]]) -> list[str]:
    return [f"{path.stem}-{name}" for path, name in pairs]


def test_there_is_a_configuration_for_every_system() -> None:
    assert [path.stem for path in SYSTEMS] == sorted(["r1_method1", "r1_method2", *(f"r{n}" for n in range(2, 10))])


@pytest.mark.parametrize("path", SYSTEMS, ids=lambda path: path.stem)
def test_a_configuration_becomes_the_description_of_its_bundle(path: Path) -> None:
    described = system.read(path)
    assert described.name == path.stem
    facts = json.loads(json.dumps(system.description(described, films=346, fold=2)))
    assert facts["networks"].keys() == described.networks.keys()
    for name, network in facts["networks"].items():
        assert network["weights"] == f"{name}/weights.pt"
        recipes.options_of(network["recipe"], network["options"])
    assert "fold 2" in facts["split"]
    assert "346 radiographs" in system.card(described, films=346, fold=2)


@pytest.mark.parametrize("path", SYSTEMS, ids=lambda path: path.stem)
def test_the_settings_fit_the_pipeline(path: Path) -> None:
    described = system.read(path)
    try:
        pipeline = importlib.import_module(f"spinert.runtime.pipelines.{described.pipeline}")
    except ModuleNotFoundError:
        pytest.skip(f"no pipeline {described.pipeline!r} here")
    msgspec.convert({**described.settings, "class_names": described.class_names}, pipeline.Settings)
    assert described.networks.keys() <= {*pipeline.NETWORKS, "region_head", "cord", "segmentation"}


@pytest.mark.parametrize(("path", "name"), NETWORKS, ids=ids(NETWORKS))
def test_samples_have_the_shapes_of_the_networks_tensors(path: Path, name: str, film: task.Film) -> None:
    described = system.read(path)
    network = described.networks[name]
    drawn = network.training().draw(film, np.random.default_rng(0))
    inputs = recipes.load(network.recipe).tensors(recipes.options_of(network.recipe, network.options)).inputs
    for tensor in ("image", "crop"):
        if tensor in drawn and tensor in inputs:
            assert drawn[tensor].shape == inputs[tensor]
    assert all(each.dtype == np.float32 and np.isfinite(each[~np.isnan(each)]).all() for each in drawn.values())
    if network.after and "image" in drawn:
        first = described.networks[network.after[-1]]
        assert list(drawn["image"].shape[1:]) == list(first.options["size"])


def test_drawn_films_carry_their_corners_with_them(film: task.Film, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "_contrast", lambda pixels, rng: pixels)
    pixels, quads = film
    white = (masks.vertebrae(quads, pixels.shape) * 255).astype(np.uint8)
    for seed, aspect in enumerate([None, None, 2.2, 3.5]):
        shown, moved = task.OnFilm(size=SIZE, aspect=aspect).drawn((white, quads), np.random.default_rng(seed))
        assert overlap(shown[0] > 0.5, masks.vertebrae(moved, SIZE) > 0.5) > 0.8


def test_drawn_crops_carry_their_corners_with_them(film: task.Film, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crops, "contrast", lambda grey, rng: grey)
    pixels, quads = film
    white = (masks.vertebrae(quads, pixels.shape) * 255).astype(np.uint8)
    cutter = crops.CropDraw(size=(96, 128), margin=(0.25, 0.25))
    for seed in range(6):
        shown, moved, which = cutter.cut((white, quads), np.random.default_rng(seed))
        assert overlap(shown[0] > 0.5, masks.vertebrae(moved, (96, 128)) > 0.5) > 0.8
        across = moved[which].mean(axis=0) / (128, 96)
        assert (np.abs(across - 0.5) < 0.2).all()


def overlap(a: Any, b: Any) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_heat_maps_peak_at_the_corners(corners: Any) -> None:
    cells = torch.from_numpy((corners.reshape(1, 68, 2) + 0.5) / 4 - 0.5)
    maps = heatmaps.targets(cells, (SIZE[0] // 4, SIZE[1] // 4), 1.5)
    logits = np.ascontiguousarray(maps[0].clamp(1e-12).log().float().numpy())
    found, _ = kernels.soft_argmax(logits, radius=3)
    np.testing.assert_allclose((found + 0.5) * 4 - 0.5, corners.reshape(68, 2), atol=0.4)


def test_perfect_heat_maps_leave_no_distance_and_no_tilt(corners: Any) -> None:
    truth = torch.from_numpy(corners)[None]
    cells = (truth.reshape(1, 68, 2) + 0.5) / 4 - 0.5
    logits = heatmaps.targets(cells, (SIZE[0] // 4, SIZE[1] // 4), 1.5).clamp(1e-30).log()
    terms = heatmaps.corner_losses(logits, truth, SIZE, 1.5)
    assert float(terms["distance_cells"]) < 1e-3
    assert float(terms["tilt_degrees"]) < 0.1


@pytest.mark.parametrize("system_and_network", [("r1_method1", "detector"), ("r4", "detector"), ("r7", "detector")])
def test_upright_anchors_decode_to_the_boxes(system_and_network: tuple[str, str], corners: Any) -> None:
    path, name = system_and_network
    learned: Any = system.read(Path(f"examples/systems/{path}.json")).networks[name].training()
    quads = corners * np.divide(learned.size, SIZE).min()
    check_anchors(learned, boxes.upright(quads))


def test_rotated_anchors_decode_to_the_boxes(corners: Any) -> None:
    learned: Any = system.read(Path("examples/systems/r6.json")).networks["detector"].training()
    check_anchors(learned, boxes.rotated(corners * np.divide(learned.size, SIZE).min()))


def check_anchors(learned: Any, truth: Any) -> None:
    starts = learned.anchors()
    labels, deltas = boxes.assigned(starts, truth, positive=learned.positive, negative=learned.negative)
    on = labels == 1
    decoded = decode_boxes(starts[on], deltas[on])
    apart = np.abs(decoded[:, None] - truth[None]).max(axis=2)
    assert apart.min(axis=1).max() < 1e-3
    assert set(apart.argmin(axis=1)) == set(range(17))
    assert 0.5 < (labels == 0).mean() < 1


def test_deltas_of_a_second_stage_undo_its_weights(corners: Any) -> None:
    truth = boxes.upright(corners)
    proposed = regions.proposals(truth, 40, np.random.default_rng(0))
    nearest = boxes.overlaps(proposed, truth).argmax(axis=1)
    deltas = boxes.deltas_to(proposed, truth[nearest], (10, 10, 5, 5))
    np.testing.assert_allclose(decode_boxes(proposed, deltas, (10, 10, 5, 5)), truth[nearest], atol=1e-6)


def test_the_middle_of_spine_and_band_is_the_midline(corners: Any) -> None:
    line = masks.midline(corners)
    rows = np.arange(int(line[0, 1]) + 12, int(line[-1, 1]) - 12)
    truth = np.interp(rows, line[:, 1], line[:, 0])
    for mask, most in ((masks.spine(corners, SIZE), 2.5), (masks.band(line, SIZE, 9), 0.8)):
        middle, _ = kernels.mask_midline(mask.astype(np.uint8))
        assert np.abs(middle[rows] - truth).max() < most


def test_borders_lie_where_the_corners_are(corners: Any) -> None:
    for line in masks.borders(corners):
        band = masks.band(line, SIZE, 7)
        x, y = np.round(line).astype(int).T
        assert band[y, x].all()
        assert 0 < band.mean() < 0.1


def test_classes_of_gaps_and_vertebrae_do_not_overlap(corners: Any) -> None:
    bone, gap = masks.vertebrae(corners, SIZE), masks.gaps(corners, SIZE)
    assert (bone * gap).sum() == 0
    assert kernels.label_components((gap > 0).astype(np.uint8), connectivity=4)[1] >= 16
    assert overlap(bone + gap > 0, masks.spine(corners, SIZE) > 0) > 0.95


def test_box_maps_have_their_mean_at_the_vertebra(corners: Any) -> None:
    found, _, _ = kernels.mean_above(masks.boxes(corners, SIZE, 0.6), 0.5)
    np.testing.assert_allclose(found, corners.mean(axis=1), atol=0.5)


def test_corner_peaks_are_found_as_the_runtime_finds_them() -> None:
    quad = np.array([[20.2, 15.0], [75.6, 18.3], [22.0, 48.7], [74.1, 50.0]])
    maps = crops.peaks(quad, (64, 96), 4.0)
    np.testing.assert_allclose(maps.sum(axis=0), 1.0, atol=1e-6)
    mask = (masks.vertebrae(crops.with_rim(quad[None]), (64, 96)) > 0.5).astype(np.uint8)
    found, _, _ = kernels.mean_above(maps[:4], 0.5, mask=np.broadcast_to(mask, (1, 64, 96)).copy())
    np.testing.assert_allclose(found, quad, atol=1.5)


def tiny(network: system.Network) -> system.Network:
    """The same network at a size and width that a few steps can afford."""
    options, target = dict(network.options), dict(network.target)
    small = {"width": 0.0625, "channels": 8, "hidden": 16, "deconvolution": 16, "features": 8, "growth": 4}
    options |= {name: value for name, value in small.items() if name in options}
    if network.recipe == "hrnet":
        options["width"] = 4
    for name in ("widths", "mask_widths", "mask_up_widths", "centreline_widths", "centreline_up_widths"):
        if name in options and network.recipe != "landmarks":
            options[name] = [max(4, width // 4) for width in options[name]]
    if network.draws == 1:
        for numbers in (options, target):
            if "size" in numbers:
                numbers["size"] = list(FILM)
        if "mask_size" in target:
            options["size"] = target["mask_size"] = [FILM[0] // 2, FILM[1] // 2]
    for name in ("aspect", "cropped"):
        target.pop(name, None)
    return msgspec.structs.replace(network, options=options, target=target, batch=4, epochs=2)


def made(network: system.Network) -> Any:
    return recipes.load(network.recipe).network(recipes.options_of(network.recipe, network.options))


@pytest.mark.parametrize(("path", "name"), NETWORKS, ids=ids(NETWORKS))
def test_the_loss_falls_in_a_few_steps(path: Path, name: str) -> None:
    torch.manual_seed(0)
    described = system.read(path)
    network = tiny(described.networks[name])
    shown = films.synthetic(4, 480, described.preparation(name))
    module = made(network)
    before = tuple(made(tiny(described.networks[each])).eval() for each in network.after)
    batch = next(iter(task.Samples(network.training(), shown, batch=4, draws=1, seed=0)))
    optimizer = torch.optim.Adam(module.parameters(), 3e-3)
    losses = []
    for _ in range(8):
        torch.manual_seed(1)
        loss = network.training().losses(module, batch, before)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.isfinite(losses).all()
    assert min(losses[-3:]) < losses[0]


def test_only_films_that_the_pipeline_prepares_have_their_contrast_changed() -> None:
    described = system.read(Path("examples/systems/r1_method2.json"))
    assert described.preparation("coarse").contrast == "clahe"
    assert described.preparation("patches").contrast == "none"


def test_a_stopped_training_goes_on_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    described = system.read(Path("examples/systems/r9.json"))
    network = msgspec.structs.replace(tiny(described.networks["regression"]), batch=2)
    described = msgspec.structs.replace(described, networks={"regression": network})
    shown = films.synthetic(4, 300, described.preparation("regression"))
    whole = train_system.train(described, lambda height, preparation: shown, tmp_path / "whole")

    kind = type(network.training())
    learned, steps = kind.losses, []

    def stopping(*arguments: Any) -> Any:
        steps.append(1)
        if len(steps) == 4:
            raise KeyboardInterrupt
        return learned(*arguments)

    monkeypatch.setattr(kind, "losses", stopping)
    with pytest.raises(KeyboardInterrupt):
        train_system.train(described, lambda height, preparation: shown, tmp_path / "stopped")
    assert not (tmp_path / "stopped/regression/weights.pt").exists()
    resumed = train_system.train(described, lambda height, preparation: shown, tmp_path / "stopped")
    assert len(steps) == 6, "the first epoch was not trained again"
    again = train_system.train(described, lambda *_: pytest.fail("trained already"), tmp_path / "stopped")
    for name, weights in whole["regression"].state_dict().items():
        assert torch.equal(weights, resumed["regression"].state_dict()[name])
        assert torch.equal(weights, again["regression"].state_dict()[name])


def test_a_network_cannot_come_after_one_that_is_not_trained_yet(tmp_path: Path) -> None:
    described = msgspec.json.decode(Path("examples/systems/r8.json").read_bytes())
    described["networks"] = dict(reversed(described["networks"].items()))
    (tmp_path / "wrong.json").write_bytes(msgspec.json.encode(described))
    with pytest.raises(ValueError, match="'regression' comes after segmentation"):
        system.read(tmp_path / "wrong.json")


def test_a_task_that_is_none_is_named_with_those_there_are(tmp_path: Path) -> None:
    text = Path("examples/systems/r9.json").read_text(encoding="utf-8").replace("mask_and_angles", "guesses")
    (tmp_path / "wrong.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="no task 'guesses', only: angles_of_mask"):
        system.read(tmp_path / "wrong.json")
