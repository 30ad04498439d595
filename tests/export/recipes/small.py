"""Options with which each recipe is a network that a test can afford."""

from typing import Any

SMALL: dict[str, dict[str, Any]] = {
    "boundary_regressor": {"size": (64, 32), "features": 4, "growth": 4, "blocks": (1, 2)},
    "boundary_unet": {"size": (48, 96), "widths": (4, 4, 6, 8)},
    "cascaded_unets": {
        "size": (32, 16),
        "mask_widths": (4, 6, 8),
        "mask_up_widths": (4, 6),
        "centreline_widths": (4, 6),
        "centreline_up_widths": (4,),
    },
    "corner_densenet": {"size": (24, 40), "layers": (2, 1, 1), "growth": 4, "dense": 8},
    "hrnet": {"size": (64, 32), "width": 4, "modules": (1, 1, 1), "blocks": 1, "stem": 4},
    "landmarks": {"size": (64, 32), "widths": (4, 8, 8, 8, 8), "top_down": 8},
    "mask_head": {"channels": 6, "cells": 4, "convolutions": 2, "hidden": 8, "classes": 3},
    "mask_regressor": {"size": (64, 32), "backbone": "efficientnet", "width": 0.25, "depth": 0.1},
    "pspnet": {"size": (64, 80), "depth": 14, "width": 0.0625},
    "region_head": {"classes": 2, "depth": 14, "width": 0.0625},
    "region_proposals": {"size": (64, 32), "depth": 14, "width": 0.0625, "hidden": 8},
    "retinanet": {"size": (64, 32), "depth": 14, "width": 0.0625, "channels": 8, "per_cell": 3, "tower": 1},
    "rotated_corners": {"channels": 6, "cells": 4, "convolutions": 2, "hidden": 8},
    "rotated_proposals": {"size": (64, 32), "depth": 14, "width": 0.0625, "channels": 8, "per_cell": 3, "hidden": 8},
    "ru_net": {"size": (32, 16), "widths": (4, 6, 8)},
    "simple_baseline": {"size": (64, 32), "depth": 14, "width": 0.0625, "deconvolution": 8, "maps": 12},
    "unet": {"size": (32, 16), "widths": (4, 6, 8), "channels": 2, "maps": 5},
    "unet_labels": {"size": (32, 16), "widths": (4, 6, 8), "hidden": 12},
    "vgg_pyramid": {"size": (32, 16), "widths": (4, 6, 8), "depths": (1, 1, 2)},
}
