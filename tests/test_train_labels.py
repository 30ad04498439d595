"""What the training example measures and learns from; that it learns is seen by running it."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

import spinert

torch = pytest.importorskip("torch", reason="the extra `export` brings torch")

from examples import train_labels  # noqa: E402
from examples.train_labels import Sample  # noqa: E402
from spinert import export  # noqa: E402
from spinert.export.description import Description  # noqa: E402


class Answering(torch.nn.Module):  # type: ignore[misc,name-defined]
    """Stands in for the U-Net and the corrector: centres [24, 2] in fractions of the image, whatever it is shown."""

    sharpness = 50.0

    def __init__(self, fractions: np.ndarray) -> None:
        super().__init__()
        self.fractions = torch.from_numpy(fractions.astype(np.float32))

    def unet(self, image: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(image), 25, *image.shape[2:])

    def corrector(self, found: torch.Tensor) -> torch.Tensor:
        return self.fractions.expand_as(found)


def column(shown: slice = slice(None)) -> Sample:
    """Vertebrae 20 mm apart, one below the other, on a film of a millimetre for a pixel."""
    centres = np.stack([np.full(24, 64.0), 10.0 + 20 * np.arange(24)], axis=-1)
    visible = np.zeros(24, bool)
    visible[shown] = True
    return Sample(np.zeros((512, 128), np.float32), centres, visible, 1.0)


def measured(found: np.ndarray, sample: Sample) -> dict[str, float]:
    return train_labels.evaluate(Answering(found / (128, 512)), [sample])


def test_true_centres_are_all_identified() -> None:
    sample = column()
    measures = measured(sample.centres, sample)
    assert measures["id_rate"] == 100
    assert measures["d_mean_mm"] == pytest.approx(0, abs=1e-3)


def test_a_centre_nearer_to_a_neighbour_is_not_identified() -> None:
    sample = column()
    found = sample.centres + np.array([0, 9.0])
    assert measured(found, sample)["id_rate"] == 100
    found[3, 1] += 2
    measures = measured(found, sample)
    assert measures["id_rate"] == pytest.approx(100 * 23 / 24)
    assert measures["d_mean_mm"] == pytest.approx((23 * 9 + 11) / 24, abs=1e-3)


def test_a_centre_farther_than_20_mm_is_not_identified_though_it_is_the_nearest() -> None:
    sample = column()
    aside = sample.centres + np.array([21.0, 0])
    assert measured(aside, sample)["id_rate"] == 0
    assert measured(sample.centres + np.array([19.0, 0]), sample)["id_rate"] == 100


def test_only_vertebrae_that_the_film_shows_count() -> None:
    sample = column(slice(7, 24))
    found = sample.centres.copy()
    found[:7] = 0
    measures = measured(found, sample)
    assert (measures["id_rate"], measures["vertebrae"]) == (100, 17)
    assert "part_id_rate" not in measures


def test_targets_peak_at_the_centres_that_are_shown_and_the_background_elsewhere() -> None:
    centres = torch.from_numpy(np.stack([np.arange(24) + 2.0, np.arange(24) * 5.0 + 4], axis=-1))[None].float()
    shown = torch.ones(1, 24, dtype=torch.bool)
    shown[0, 5] = False
    target = train_labels.gaussians(centres, shown, (128, 64))
    assert target.shape == (1, 25, 128, 64)
    assert target[0, 1 + 4, 24, 6] == 1
    assert target[0, 1 + 5].max() == 0
    np.testing.assert_allclose(target[0, 0], 1 - target[0, 1:].amax(0))


def test_the_loss_of_the_target_itself_is_least() -> None:
    sample = train_labels.synthetic(0, (128, 64))
    _, centres, shown = train_labels.batch_of([sample])
    target = train_labels.gaussians(centres, shown, (128, 64))
    least = train_labels.loss_of(target, centres, centres, shown)
    assert float(least) == pytest.approx(0, abs=1e-4)
    assert train_labels.loss_of(target * 0.9, centres, centres, shown) > least
    assert float(train_labels.loss_of(target, centres + 3, centres, shown)) == pytest.approx(2.5, abs=1e-3)


def test_a_reduced_film_keeps_its_centres_where_they_are() -> None:
    sample = train_labels.synthetic(3, (256, 128))
    small = train_labels.reduced(sample, (128, 64))
    assert small.image.shape == (128, 64)
    assert small.mm == 2 * sample.mm
    np.testing.assert_allclose((small.centres + 0.5) * small.mm, (sample.centres + 0.5) * sample.mm)


def test_coronal_films_are_as_long_as_the_phantom_for_want_of_a_spacing() -> None:
    corners = np.tile(np.array([[40.0, 0], [60, 0], [40, 10], [60, 10]]), (17, 1, 1))
    corners[..., 1] += 14.0 * np.arange(17)[:, None]
    sample = train_labels.coronal_sample(np.zeros((256, 128), np.float32), corners)
    assert sample.shown.tolist() == [False] * 7 + [True] * 17
    assert sample.mm * 14 * 16 == pytest.approx(train_labels.usual_length_mm())


@pytest.mark.parametrize(("view", "first"), [("coronal", "T1"), ("sagittal", "C1")])
def test_what_is_trained_becomes_a_bundle_of_its_view(view: str, first: str, tmp_path: Path) -> None:
    facts = train_labels.description(view, 0)
    network = train_labels.unet_labels.network(train_labels.OPTIONS)
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    (tmp_path / "bundle.json").write_text(json.dumps(facts))
    described = msgspec.json.decode((tmp_path / "bundle.json").read_bytes(), type=Description)
    card = train_labels.CARD.format(**facts)
    bundle = export.export_networks(described, tmp_path, tmp_path / "bundle", model_card=card).bundle
    assert bundle.manifest.class_names[0] == first
    with spinert.load(bundle.folder) as model:
        assert model.bundle.name == f"r10_{view}"
