"""Pictures of a calibration, as PNG: where people would rather look than read numbers."""

import io
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from spinert.calibrate.agreement import LIMITS
from spinert.calibrate.search import Attempt
from spinert.calibrate.sensitivity import Layer

EXACT, CANDIDATE, FLOAT = "#4c72b0", "#55a868", "#c44e52"


def agreement(attempt: Attempt, title: str) -> bytes:
    """Two panels: each curve's difference over its size, and how many corners lie within how many pixels."""
    figure, (left, right) = _figure(10.0, 4.2)
    figure.suptitle(title)
    curves = np.array(attempt.curves, np.float64).reshape(-1, 2)
    left.scatter(curves[:, 0], curves[:, 1] - curves[:, 0], s=9, color=EXACT, alpha=0.6)
    bounds = {limit.measure: limit.bound for limit in LIMITS}
    for measure, style in (("cobb_95th_degrees", "--"), ("cobb_largest_degrees", "-")):
        for sign in (-1, 1):
            left.axhline(sign * bounds[measure], color=FLOAT, linestyle=style, linewidth=0.9)
    left.set(xlabel="Cobb angle, fp32 (degrees)", ylabel="difference (degrees)", title=f"{len(curves)} curves")
    right.plot(attempt.corners_px, range(len(attempt.corners_px)), color=EXACT)
    right.axvline(bounds["corners_95th_px"], color=FLOAT, linestyle="--", linewidth=0.9)
    right.axhline(95, color=FLOAT, linestyle="--", linewidth=0.9)
    right.set(
        xlabel="distance of a corner (px at network size)",
        ylabel="corners within (%)",
        title="corners",
    )
    right.set_xlim(0, 4 * bounds["corners_95th_px"])
    return _png(figure)


def sensitivity(ranking: Sequence[Layer], kept: Collection[str], title: str) -> bytes:
    """A bar for each layer, the worst on top; those in `kept`, `network: node`, were put back to float."""
    figure, (axes,) = _figure(8.0, 1.2 + 0.19 * len(ranking), panels=1)
    places = np.arange(len(ranking))
    names = [f"{layer.network}: {layer.node}" for layer in ranking]
    colours = [FLOAT if name in kept else CANDIDATE for name in names]
    axes.barh(places, [layer.damage for layer in ranking], color=colours)
    axes.set_yticks(places, names, fontsize=7)
    axes.invert_yaxis()
    axes.set(xlabel="share of the gate's room that quantizing this layer alone uses", title=title)
    axes.text(0.98, 0.02, "red: put back to float", transform=axes.transAxes, ha="right", fontsize=8, color=FLOAT)
    return _png(figure)


def _figure(width: float, height: float, panels: int = 2) -> tuple[Any, Any]:
    """Made without pyplot, which would choose a window system."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: Any) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=90, metadata={"Software": None})
    return file.getvalue()
