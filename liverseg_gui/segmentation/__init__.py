"""From a Volume to a LabelMap. Only the modules that compute import torch; none imports Qt."""

import os
import warnings

from liverseg_gui.system.paths import cache_folder

# fastai calls it when it is imported: no user can do anything about that.
warnings.filterwarnings("ignore", r"`torch\.jit\.script")

if "OMP_WAIT_POLICY" not in os.environ:
    # Read by OpenMP when torch is loaded. Its threads wait for each other by turning round, for
    # milliseconds unless told otherwise: beside other busy programs that is five times as slow.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

# else torch makes a folder for each user among the temporary files, and leaves it there
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_folder() / "torchinductor"))
