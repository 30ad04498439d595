"""How an angle is written: a tenth of a degree, and where a bundle states it, its 95 % interval."""

from spinert.findings import Interval


def angle_text(degrees: float, interval: Interval | None, unit: str = "") -> str:
    """As in `24.3` or `24.3 [20.1, 28.5]`; the unit follows the angle."""
    return f"{degrees:.1f}{unit}" + (f" {interval_text(interval)}" if interval else "")


def interval_text(interval: Interval) -> str:
    """As in `[20.1, 28.5]`."""
    low, high = interval
    return f"[{low:.1f}, {high:.1f}]"
