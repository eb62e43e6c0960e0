"""What the packaged program weighs, by component: `python tools/package_size.py dist/liverseg`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

_WITHIN = ("nvidia", "torch")
"""Components that are told in parts, for they are most of it."""
_SHOWN = 30


def sizes(package: Path) -> Counter[str]:
    """Bytes of each component: a folder below _internal, or a file. Links weigh nothing."""
    found: Counter[str] = Counter()
    for path in package.rglob("*"):
        if path.is_file() and not path.is_symlink():
            found[_component(path.relative_to(package))] += path.stat().st_size
    return found


def _component(path: Path) -> str:
    parts = path.parts[1:] if path.parts[0] == "_internal" else path.parts
    if len(parts) == 1:
        return "libraries and modules of their own" if ".so" in parts[0] else parts[0]
    if parts[0] not in _WITHIN:
        return parts[0]
    if "lib" in parts and "cuda" in parts[-1]:
        return f"{parts[0]}: CUDA kernels" if parts[0] == "torch" else f"{parts[0]}: {parts[1]}"
    return f"{parts[0]}: {parts[1] if parts[0] == 'nvidia' or parts[1] == 'lib' else 'the rest'}"


def main() -> None:
    """Print a line for each component, the largest first."""
    found = sizes(Path(sys.argv[1]))
    small = sum(size for _, size in found.most_common()[_SHOWN:])
    for name, size in found.most_common(_SHOWN):
        print(f"{size / 1e6:8.1f} MB  {name}")
    print(f"{small / 1e6:8.1f} MB  {max(len(found) - _SHOWN, 0)} smaller ones")
    print(f"{found.total() / 1e6:8.1f} MB  all")


if __name__ == "__main__":
    main()
