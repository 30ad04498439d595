"""Rows of the kernel table, one file per family: each has rows().

Import it before torch and scikit-learn: their OpenMP reads once, when it is loaded, how its threads wait. They spin for
milliseconds after each call unless told otherwise, and take a core from whoever has the next turn.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
