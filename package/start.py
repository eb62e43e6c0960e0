"""What the packaged program starts with; `pyinstaller.spec` names it."""

import multiprocessing
import os

if __name__ == "__main__":
    multiprocessing.freeze_support()  # first: a child process of the model starts here, too
    # The loader points LD_LIBRARY_PATH at this folder. Programs of the system must not inherit
    # that; this program, started again, must find it out anew.
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before
    os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"

    from liverseg_gui.cli.main import main

    raise SystemExit(main())
