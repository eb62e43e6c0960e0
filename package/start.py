"""What the packaged program starts with; `pyinstaller.spec` names it."""

import multiprocessing
import os

if __name__ == "__main__":
    multiprocessing.freeze_support()  # first: a child process of the model starts here, too
    if "LD_LIBRARY_PATH_ORIG" in os.environ:  # programs of the system get their own libraries
        os.environ["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH_ORIG"]
    else:
        os.environ.pop("LD_LIBRARY_PATH", None)

    from liverseg_gui.cli.main import main

    raise SystemExit(main())
