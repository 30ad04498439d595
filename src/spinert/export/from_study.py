"""Golden inputs from a study: what the pipeline itself feeds its networks, so that angles can be read from the answers.

Random blocks exercise a network, but no spine is in them. The study goes into the bundle, so it is a synthetic one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinert.bundle import Bundle, Manifest
from spinert.errors import ExportFailed
from spinert.runtime.choice import Choice, Opened
from spinert.runtime.infer import Model
from spinert.runtime.network import Arrays, Network
from spinert.runtime.recording import Recording

_STEPS = 255


def inputs_from_study(
    study: Path, manifest: Manifest, networks: Mapping[str, Network]
) -> dict[str, dict[str, NDArray[Any]]]:
    """By network: the first row of each input of its first call when the bundle's pipelines examine this study.

    networks   all that the pipelines call, by their names in the bundle

    Values are rounded to 256 levels between their least and greatest, which keeps the compressed file small.
    Raises BadRequest, BadStudy or BadGeometry where the study cannot be examined, ExportFailed where the pipeline does
    not call a network.
    """
    seen: dict[str, dict[str, NDArray[Any]]] = {}

    def recording(name: str) -> Recording:
        def keep(arrays: Arrays) -> None:
            if name not in seen:
                seen[name] = {tensor: _rounded(array[:1]) for tensor, array in arrays.items()}

        return Recording(networks[name], keep)

    unwritten = Bundle(Path(), manifest, "")
    recordings: dict[str, Network] = {name: recording(name) for name in networks}
    Model(unwritten, lambda _: Opened(recordings, Choice("ort", "cpu", "fp32"), ())).infer_files(study)
    for name in networks:
        if name not in seen:
            raise ExportFailed(
                f"pipeline {manifest.pipeline!r} did not call network {name!r} for this study", "give another study"
            )
    return seen


def _rounded(row: NDArray[Any]) -> NDArray[Any]:
    """A copy; only fractions are rounded."""
    if not np.issubdtype(row.dtype, np.floating):
        return row.copy()
    values = row.astype(np.float64)
    low, high = float(values.min()), float(values.max())
    step = (high - low) / _STEPS or 1.0
    return np.asarray(low + np.round((values - low) / step) * step, row.dtype)
