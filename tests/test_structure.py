"""The rooms of the program: what no import contract can hold."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from liverseg_gui.system.import_guard import NETWORK_LIBRARIES

ROOT = Path(__file__).parents[1]
PRODUCT = sorted(
    path for top in ("liverseg_gui", "training") for path in (ROOT / top).rglob("*.py")
)
MOST_MODULES = 20
DOTTED = re.compile(r"[\"'`]((?:liverseg_gui|training)(?:\.[A-Za-z_]\w*)+)")
FILES = {"training.lock", "training.md"}
SAME_NAME = {
    "add_parser",
    "main",
    "run",
}
"""Names that two modules define; it may only shrink."""


def test_no_folder_holds_more_modules_than_a_person_overlooks() -> None:
    modules = Counter(path.parent for path in PRODUCT if path.name != "__init__.py")
    assert {str(folder): n for folder, n in modules.items() if n > MOST_MODULES} == {}


def test_every_folder_says_what_it_is() -> None:
    for folder in {path.parent for path in PRODUCT}:
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))), folder


def test_every_module_that_a_text_names_exists() -> None:
    texts = [
        path for top in ("tests", "tools", "docs") for path in (ROOT / top).rglob("*.[pm][yd]")
    ]
    missing = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in (*PRODUCT, *texts)
        for name in DOTTED.findall(path.read_text("utf-8"))
        if name not in FILES and not exists(name.split("."))
    ]
    assert missing == []


def exists(parts: list[str]) -> bool:
    """Whether the dotted name is a folder, a module, or something a module defines or imports."""
    if ROOT.joinpath(*parts, "__init__.py").is_file():
        return True
    for n in range(len(parts), 1, -1):
        module = ROOT.joinpath(*parts[:n]).with_suffix(".py")
        if module.is_file():
            return (
                n == len(parts)
                or re.search(rf"\b{parts[n]}\b", module.read_text("utf-8")) is not None
            )
    return False


def test_a_name_is_defined_once() -> None:
    where: dict[str, list[str]] = defaultdict(list)
    for path in PRODUCT:
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                where[node.name].append(str(path.relative_to(ROOT)))
    twice = {name: places for name, places in where.items() if len(places) > 1}
    assert {name: twice[name] for name in twice.keys() - SAME_NAME} == {}
    assert twice.keys() >= SAME_NAME


def test_nothing_that_the_window_loads_brings_a_library_of_networks_along() -> None:
    """Not at the start, and not where a module of the window imports something late."""
    trees = {module_name(path): ast.parse(path.read_text("utf-8")) for path in PRODUCT}
    at_once = {name: set(imported(tree.body, late=False)) for name, tree in trees.items()}
    chains: dict[str, list[str]] = {}
    for name, tree in trees.items():
        if name.startswith("liverseg_gui.ui."):
            for module in with_packages(imported(tree.body, late=True)):
                chains.setdefault(module, [name, module])
    todo = list(chains)
    while todo:
        module = todo.pop()
        for other in with_packages(at_once.get(module, ())):
            if other not in chains:
                chains[other] = [*chains[module], other]
                todo.append(other)
    heavy = [" > ".join(chains[name]) for name in sorted(NETWORK_LIBRARIES & chains.keys())]
    assert heavy == []
    assert {"training.planning.batch_size", "training.data.dataset_layouts"} <= chains.keys()


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(nodes: Iterable[ast.AST], late: bool) -> Iterator[str]:
    """What the code imports when it is run; with `late` also what its functions do."""
    for node in nodes:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from imported(node.orelse, late)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not late:
            continue
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imported(ast.iter_child_nodes(node), late)


def with_packages(names: Iterable[str]) -> set[str]:
    """The modules and all packages above them, which are loaded first."""
    split = [name.split(".") for name in names]
    return {".".join(parts[:n]) for parts in split for n in range(1, len(parts) + 1)}
