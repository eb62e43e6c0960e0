"""Guard against libraries of networks in the window's process.

Where OpenGL draws with LLVM (Mesa: virtual machines, remote desktops), loading torch's compiler
into the same process ends it with a segmentation fault, and what was not saved is lost. An import
that fails instead is an error that can be shown.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

NETWORK_LIBRARIES = frozenset({"fastai", "openvino", "torch", "torchvision", "triton"})


class RefusedImportError(ImportError):
    """A library of networks was to be loaded into a process that must not have it."""


class _Guard(MetaPathFinder, Loader):
    """Finds these libraries where they are installed, as before, and loads none of them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in NETWORK_LIBRARIES:
            return None
        others = (f for f in sys.meta_path if f is not self and hasattr(f, "find_spec"))
        found = any(other.find_spec(fullname, path, target) is not None for other in others)
        return ModuleSpec(fullname, self) if found else None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        raise RefusedImportError(
            f"{spec.name} is not loaded into the window's process: beside OpenGL it can end the "
            "program at once. What needs it runs in a process of its own.",
            name=spec.name,
        )

    def exec_module(self, module: ModuleType) -> None:
        raise NotImplementedError  # no module was created


@contextmanager
def without_networks() -> Iterator[None]:
    """Refuse to load a library of networks meanwhile; whether it is installed can be asked.

    What is loaded already stays. Processes that are started from here load what they like.
    """
    guard = _Guard()
    sys.meta_path.insert(0, guard)
    try:
        yield
    finally:
        sys.meta_path.remove(guard)
