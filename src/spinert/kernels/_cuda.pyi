"""CUDA kernels; see spinert.kernels."""



ABI: int = 2

def devices() -> tuple[int, str]:
    """Number of devices, and why there is none."""
