"""The two pictures of an accuracy run.

Angles are float64 in degrees; `flagged` bool [n] marks films without a result to rely on.
"""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray

from benchmarks.metrics import limits_of_agreement, mean_absolute_error, pearson_r

PLAIN, FLAGGED = "#0072B2", "#D55E00"  # Okabe and Ito: told apart by colour-blind readers too


def predicted_against_true(
    found: NDArray[np.float64], labelled: NDArray[np.float64], flagged: NDArray[np.bool_], path: Path
) -> None:
    """Three panels, one for each of the challenge's angles [n, 3], with the line on which both are equal."""
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.8), layout="constrained")
    error, correlation = mean_absolute_error(found, labelled), pearson_r(found, labelled)
    top = float(max(found.max(), labelled.max())) * 1.05 + 1.0
    for angle, panel in enumerate(axes):
        panel.plot([0, top], [0, top], color="0.6", linewidth=1, zorder=0)
        _scatter(panel, labelled[:, angle], found[:, angle], flagged)
        panel.set(xlim=(0, top), ylim=(0, top), aspect="equal")
        panel.set_title(f"angle {angle + 1}: MAE {error[angle]:.1f}°, r {correlation[angle]:.2f}")
        panel.set_xlabel("labelled (degrees)")
    axes[0].set_ylabel("found (degrees)")
    _save(figure, axes[0], path)


def bland_altman(
    found: NDArray[np.float64], labelled: NDArray[np.float64], flagged: NDArray[np.bool_], path: Path
) -> None:
    """Difference against mean of one angle [n], with bias and 95 % limits of agreement."""
    figure, panel = plt.subplots(figsize=(7.5, 5), layout="constrained")
    agreement = limits_of_agreement(found, labelled)
    _scatter(panel, (found + labelled) / 2, found - labelled, flagged)
    for value, name, style in (
        (agreement.bias, "bias", "-"),
        (agreement.lower, "lower limit", "--"),
        (agreement.upper, "upper limit", "--"),
    ):
        panel.axhline(value, color="0.4", linestyle=style, linewidth=1, zorder=0)
        panel.annotate(
            f"{name} {value:+.1f}°", (1, value), (-4, 3), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="right", color="0.3",
        )  # fmt: skip
    panel.set(xlabel="mean of found and labelled (degrees)", ylabel="found - labelled (degrees)")
    panel.set_title(f"Major angle, {len(found)} films: Bland-Altman with 95 % limits of agreement")
    panel.margins(y=0.08)
    _save(figure, panel, path)


def _scatter(panel: Any, x: NDArray[np.float64], y: NDArray[np.float64], flagged: NDArray[np.bool_]) -> None:
    panel.scatter(x[~flagged], y[~flagged], s=22, color=PLAIN, alpha=0.75, linewidths=0, label="no warning")
    panel.scatter(x[flagged], y[flagged], s=30, color=FLAGGED, marker="x", label="flagged by the checks, or failed")
    panel.spines[["top", "right"]].set_visible(False)


def _save(figure: Any, panel: Any, path: Path) -> None:
    figure.legend(*panel.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.savefig(path, dpi=140)
    plt.close(figure)
