"""What documents promise is held to the code."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_finding_is_documented_and_nothing_else_is() -> None:
    raised = re.compile(r'\b(?:warning|info|error)\(\s*"([a-z0-9-]+)"')
    sources = (ROOT / "liverseg_gui").rglob("*.py")
    codes = {code for path in sources for code in raised.findall(path.read_text())}
    listed = re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs" / "findings.md").read_text(), re.M)
    assert len(codes) > 30
    assert sorted(listed) == sorted(codes)
