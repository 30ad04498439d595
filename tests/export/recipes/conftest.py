"""TensorRT for RTX builds an engine of every recipe on the processor."""

from tests.runtime.tensorrt.conftest import rtx  # noqa: F401
