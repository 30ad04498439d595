"""Pictures of an evaluation, as PNG. Angles are float64 in degrees; no picture of a film is among them.

`flagged` bool [n] marks films without a result to rely on, among them those without any.
"""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.evaluate.agreement import limits_of_agreement
from spinert.evaluate.metrics import GRADES, mean_absolute_error, pearson_r

PLAIN, FLAGGED = "#0072B2", "#D55E00"  # Okabe and Ito: told apart by colour-blind readers too

Array = NDArray[np.float64]


def predicted_against_true(found: Array, labelled: Array, flagged: NDArray[np.bool_], title: str) -> bytes:
    """Three panels, one for each of the challenge's angles [n, 3], with the line on which both are equal."""
    figure, axes = _figure(13.0, 5.0, panels=3)
    error, correlation = mean_absolute_error(found, labelled), pearson_r(found, labelled)
    top = float(max(found.max(), labelled.max())) * 1.05 + 1.0
    for angle, panel in enumerate(axes):
        panel.plot([0, top], [0, top], color="0.6", linewidth=1, zorder=0)
        _scatter(panel, labelled[:, angle], found[:, angle], flagged)
        panel.set(xlim=(0, top), ylim=(0, top), aspect="equal")
        panel.set_title(f"{title}, angle {angle + 1}: MAE {error[angle]:.1f}°, r {correlation[angle]:.2f}")
        panel.set_xlabel("labelled (degrees)")
    axes[0].set_ylabel("found (degrees)")
    _legend(figure, axes[0])
    return _png(figure)


def bland_altman(found: Array, labelled: Array, flagged: NDArray[np.bool_], title: str) -> bytes:
    """Difference against mean of one angle [n], with bias and 95 % limits of agreement."""
    figure, (panel,) = _figure(7.5, 5.2)
    agreement = limits_of_agreement(found, labelled)
    _scatter(panel, (found + labelled) / 2, found - labelled, flagged)
    for value, name, style in (
        (agreement.bias, "bias", "-"),
        (agreement.lower, "lower limit", "--"),
        (agreement.upper, "upper limit", "--"),
    ):
        if not np.isfinite(value):
            continue
        panel.axhline(value, color="0.4", linestyle=style, linewidth=1, zorder=0)
        panel.annotate(
            f"{name} {value:+.1f}°", (1, value), (-4, 3), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="right", color="0.3",
        )  # fmt: skip
    panel.set(xlabel="mean of found and labelled (degrees)", ylabel="found - labelled (degrees)")
    panel.set_title(f"{title}: major angle, {len(found)} films")
    panel.margins(y=0.08)
    _legend(figure, panel)
    return _png(figure)


def severity(confusion: NDArray[np.intp], title: str) -> bytes:
    """How many films of each labelled grade were found in which, [4, 5]; shaded by the share of the row."""
    figure, (panel,) = _figure(6.6, 4.6)
    totals = confusion.sum(axis=1, keepdims=True)
    shares = confusion / np.maximum(totals, 1)
    panel.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(confusion):
        panel.text(column, row, str(count), ha="center", va="center", color="w" if shares[row, column] > 0.6 else "k")
    panel.set_xticks(range(len(GRADES) + 1), [*GRADES, "no result"])
    panel.set_yticks(
        range(len(GRADES)), [f"{name} ({total})" for name, total in zip(GRADES, totals[:, 0], strict=True)]
    )
    panel.set(
        xlabel="found (degrees)", ylabel="labelled (degrees, films)", title=f"{title}: severity by the major angle"
    )
    return _png(figure)


def _figure(width: float, height: float, panels: int = 1) -> tuple[Any, Any]:
    """Made without pyplot, which would choose a window system."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _scatter(panel: Any, x: Array, y: Array, flagged: NDArray[np.bool_]) -> None:
    panel.scatter(x[~flagged], y[~flagged], s=22, color=PLAIN, alpha=0.75, linewidths=0, label="no warning")
    panel.scatter(x[flagged], y[flagged], s=30, color=FLAGGED, marker="x", label="flagged by the checks, or failed")


def _legend(figure: Any, panel: Any) -> None:
    figure.legend(*panel.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)


def _png(figure: Any) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
    return file.getvalue()
