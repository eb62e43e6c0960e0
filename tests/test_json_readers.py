"""Every reader of JSON and TOML goes through what knows nesting without end."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OWN = {"liverseg_gui/core/parsing.py"}


@pytest.mark.parametrize("package", ["liverseg_gui", "training"])
def test_json_from_files_is_read_by_one_function(package: str) -> None:
    found = []
    for path in sorted((ROOT / package).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"json.loads", "json.load"}:
                inner = ast.unparse(node.args[0])
                if name not in OWN and not inner.startswith("json.dumps("):
                    found.append(f"{name}:{node.lineno}")
    assert not found, "use liverseg_gui.core.parsing.parse_json"
