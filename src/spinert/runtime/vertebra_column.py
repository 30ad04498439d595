"""Boxes of vertebrae -> one column of them from head to foot, those that cannot belong to it dropped."""

from typing import Annotated, Literal

import msgspec
import numpy as np

from spinert import kernels
from spinert.runtime.boxes import Boxes, upright

Limit = Annotated[float, msgspec.Meta(ge=0)]


class Squeezed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="rule", tag="squeezed"):
    """Boxes go that overlap both neighbours too much, or whose step from the one before exceeds their width
    (`kernels.neighbour_overlap`; Chen et al., CSI 2019, section 3.1)."""

    overlap: Limit = 0.36


class Aside(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="rule", tag="aside"):
    """Boxes go that stand more than `widths` of their width beside both neighbours (`kernels.neighbour_shift`; Khanal
    et al., CSI 2019, section 4)."""

    widths: Limit = 0.5


DropRule = Squeezed | Aside
Surplus = Literal["keep", "cut_from_bottom"]


def column(found: Boxes, rule: DropRule | None) -> Boxes:
    """The boxes from head to foot without those that the rule drops; rotated ones are judged by what is around them.

    Without a rule all of them, by the y of their centre.
    """
    around = np.ascontiguousarray(upright(found.boxes), np.float32)
    if isinstance(rule, Squeezed):
        kept, _ = kernels.neighbour_overlap(around, threshold=rule.overlap)
    elif isinstance(rule, Aside):
        kept, _ = kernels.neighbour_shift(around, widths=rule.widths)
    else:
        kept = np.argsort(found.boxes[:, 1], kind="stable").astype(np.int32)
    return found.take(kept[kept >= 0])
