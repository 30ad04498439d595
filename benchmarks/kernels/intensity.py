"""Stored values to network input against copies of as many bytes, NumPy, OpenCV and torch."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.kernels.row import Row
from spinert import kernels
from spinert.kernels import reference

SHAPE = (300, 512, 512)
SLOPE, INTERCEPT, LOW, HIGH = 1.0, -1024.0, -200.0, 1300.0
CT: dict[str, Any] = {"slope": SLOPE, "intercept": INTERCEPT, "low": LOW, "high": HIGH}


def rows() -> list[Row]:
    stored = make_ct()
    exact = reference.window_hu(stored, **CT).astype(np.float32)
    return [
        window_row(stored, exact),
        new_array_row(stored, exact),
        smaller_row(stored, np.float16, exact),
        smaller_row(stored, np.uint8, exact * np.float32(255.0)),
        zscore_row(stored),
        mask_row(stored),
    ]


def make_ct() -> NDArray[np.int16]:
    """A soft body with bone in its middle, in air, with grain."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: SHAPE[1], : SHAPE[2]]
    distance = np.hypot(x - 255.5, y - 255.5)
    hu = np.where(distance < 40, 400.0, np.where(distance < 200, 40.0, -1000.0)) + rng.normal(0.0, 20.0, SHAPE[1:])
    one = np.clip(hu - INTERCEPT, 0, 4095).astype(np.int16)
    return np.stack([np.roll(one, number, axis=1) for number in range(SHAPE[0])])


def copy_of(moved: int) -> Callable[[], object]:
    """A copy that reads and writes as many bytes together, with as many threads as torch has."""
    source, target = np.ones(moved // 2, np.uint8), np.ones(moved // 2, np.uint8)
    pool = ThreadPoolExecutor(2)

    def copy() -> None:
        if (threads := torch.get_num_threads()) == 1:
            np.copyto(target, source)
        else:
            halves = zip(np.array_split(target, threads), np.array_split(source, threads), strict=True)
            list(pool.map(lambda half: np.copyto(*half), halves))

    return copy


def window_row(stored: NDArray[np.int16], exact: NDArray[np.float32]) -> Row:
    out, buffer = np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    scale, shift = 1.0 / (HIGH - LOW), (INTERCEPT - LOW) / (HIGH - LOW)
    tensor, filled = torch.from_numpy(stored), torch.from_numpy(buffer)
    plane, flat = stored.reshape(-1, SHAPE[2]), buffer.reshape(-1, SHAPE[2])

    def numpy_in_place() -> None:
        np.multiply(stored, np.float32(scale), out=buffer, casting="unsafe")
        np.add(buffer, np.float32(shift), out=buffer)
        np.clip(buffer, 0.0, 1.0, out=buffer)

    def opencv_in_place() -> None:
        cv2.multiply(plane, scale, dst=flat, dtype=cv2.CV_32F)
        cv2.add(flat, shift, dst=flat)
        cv2.threshold(flat, 1.0, 0.0, cv2.THRESH_TRUNC, dst=flat)
        cv2.threshold(flat, 0.0, 0.0, cv2.THRESH_TOZERO, dst=flat)

    return Row(
        "window_hu to float32 in `out`",
        "x".join(map(str, SHAPE)),
        lambda threads: kernels.window_hu(stored, **CT, out=out, threads=threads),
        {
            "copy": copy_of(stored.nbytes + out.nbytes),
            "NumPy": numpy_in_place,
            "OpenCV": opencv_in_place,
            "torch": lambda: filled.copy_(tensor).mul_(scale).add_(shift).clamp_(0.0, 1.0),
        },
        exact,
        (1, 2),
    )


def new_array_row(stored: NDArray[np.int16], exact: NDArray[np.float32]) -> Row:
    """Most of it is the kernel handing out pages."""
    return Row(
        "window_hu to a new float32",
        "x".join(map(str, SHAPE)),
        lambda threads: kernels.window_hu(stored, **CT, threads=threads),
        {
            "NumPy": lambda: np.clip((stored * SLOPE + INTERCEPT - LOW) / (HIGH - LOW), 0.0, 1.0).astype(np.float32),
            "fill": lambda: np.full(SHAPE, 1.0, np.float32),
        },
        exact,
        (1, 2),
    )


def smaller_row(stored: NDArray[np.int16], dtype: type, exact: NDArray[np.float32]) -> Row:
    out = np.zeros(SHAPE, dtype)
    return Row(
        f"window_hu to {np.dtype(dtype).name} in `out`",
        "x".join(map(str, SHAPE)),
        lambda threads: kernels.window_hu(stored, **CT, dtype=dtype, out=out, threads=threads),
        {"copy": copy_of(stored.nbytes + out.nbytes)},
        exact,
        (1, 2),
    )


def zscore_row(stored: NDArray[np.int16]) -> Row:
    out, buffer = np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32)

    def numpy_in_place() -> None:
        np.multiply(stored, np.float32(SLOPE), out=buffer, casting="unsafe")
        mean, sd = buffer.mean(dtype=np.float64), buffer.std(dtype=np.float64)
        np.subtract(buffer, np.float32(mean), out=buffer)
        np.multiply(buffer, np.float32(1.0 / sd), out=buffer)

    return Row(
        "zscore_hu to float32 in `out`",
        "x".join(map(str, SHAPE)),
        lambda threads: kernels.zscore_hu(stored, slope=SLOPE, intercept=INTERCEPT, out=out, threads=threads),
        {"copy": copy_of(2 * stored.nbytes + out.nbytes), "NumPy": numpy_in_place},
        reference.zscore_hu(stored, slope=SLOPE, intercept=INTERCEPT)[0].astype(np.float32),
        (1, 2),
    )


def mask_row(stored: NDArray[np.int16]) -> Row:
    out, bone = np.zeros(SHAPE, np.uint8), int(200.0 - INTERCEPT)
    rescale = {"slope": SLOPE, "intercept": INTERCEPT}

    def numpy_mask() -> list[NDArray[Any]]:
        mask = np.greater_equal(stored, bone, out=out.view(np.bool_))
        plane = mask.any(axis=0)
        return [np.flatnonzero(any_) for any_ in (mask.any(axis=(1, 2)), plane.any(axis=1), plane.any(axis=0))]

    return Row(
        "threshold_mask in `out`",
        "x".join(map(str, SHAPE)),
        lambda threads: kernels.threshold_mask(stored, **rescale, low=200.0, out=out, threads=threads),
        {
            "copy": copy_of(stored.nbytes + out.nbytes),
            "NumPy": numpy_mask,
        },
        (stored >= bone).astype(np.uint8),
        (1, 2),
    )
