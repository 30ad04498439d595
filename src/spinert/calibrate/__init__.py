"""From a bundle's fp32 files to its other precisions: ranges of real studies, rewritten graphs, a gate in degrees."""
