"""Inference runtime for spine imaging: `load` a model once, `infer` as often as you like.

    model = spinert.load("cobb")
    result = model.infer("study.dcm")

Research use only: not for clinical use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "errors", "findings", "infer", "load", "read_study"]

if TYPE_CHECKING:
    from spinert import errors, findings
    from spinert.runtime.files import read_study
    from spinert.runtime.infer import infer, load


def __getattr__(name: str) -> Any:
    """Import on first use, so that `import spinert` and `spinert --help` stay quick."""
    if name in ("errors", "findings"):
        return import_module(f"spinert.{name}")
    if name in ("infer", "load"):
        return getattr(import_module("spinert.runtime.infer"), name)
    if name == "read_study":
        return import_module("spinert.runtime.files").read_study
    raise AttributeError(f"module 'spinert' has no attribute {name!r}")
