"""How many threads the peers of the kernel table have."""

import cv2
import torch
from threadpoolctl import threadpool_limits


def limit_peers(threads: int) -> None:
    """For every library that lets its number of threads be set; what else has threads asks torch for it."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    threadpool_limits(threads)
