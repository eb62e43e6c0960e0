"""What the packaged program starts with; `pyinstaller.spec` names it."""

import multiprocessing
import os
import sys


def have_streams() -> None:
    """Give a program without a console, and each process that it starts, streams to write to."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def forget_library_path() -> None:
    """Put `LD_LIBRARY_PATH` back, which the loader pointed at this folder.

    Programs of the system must not inherit that; this one, started again, must find it out anew.
    """
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before
    os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"


def load_torchs_runtime_first() -> None:
    """Windows: load torch's smallest library, and the C++ runtime that it needs, before Qt's.

    With torch 2.9 and newer, `import torch` may fail after Qt (WinError 1114). The rest of torch
    takes seconds, and is not loaded here. Where it cannot be loaded, torch says so when it is used.
    """
    import contextlib
    import ctypes

    library = os.path.join(sys._MEIPASS, "torch", "lib", "c10.dll")  # type: ignore[attr-defined]
    with contextlib.suppress(OSError):
        ctypes.CDLL(library)


def forget_finders_word() -> None:
    """Take away what the Finder of older macOS adds to the command line."""
    sys.argv[1:] = [word for word in sys.argv[1:] if not word.startswith("-psn_")]


if __name__ == "__main__":
    have_streams()
    multiprocessing.freeze_support()  # a child process of the model starts here, and ends here
    forget_library_path()
    if sys.platform == "win32":
        load_torchs_runtime_first()
    if sys.platform == "darwin":
        forget_finders_word()

    from liverseg_gui.cli.main import main

    raise SystemExit(main())
