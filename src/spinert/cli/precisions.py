"""The precisions as choices of an option: `spinert.bundle` has them too, but takes long to import for a help page."""

from typing import Literal

Precision = Literal["fp32", "fp16", "int8-cpu", "int8-trt"]
