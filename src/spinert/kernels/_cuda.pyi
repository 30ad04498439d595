"""CUDA kernels; see spinert.kernels."""



ABI: int = 1

def devices() -> tuple[int, str]:
    """Number of devices, and why there is none."""
