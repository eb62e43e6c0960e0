"""What is saved is written in one way: beside its place, to the disk, and renamed.

Whoever writes otherwise stands below with the reason.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from tests.test_structure import PRODUCT, ROOT

METHODS = {
    *("write_text", "write_bytes", "tofile", "rename", "symlink_to", "hardlink_to"),
    *("save_as", "to_filename", "savefig", "extract", "extractall", "writestr"),
}
MODULES = {
    "shutil": {"copy", "copy2", "copyfile", "copyfileobj", "copytree", "move"},
    "os": {"rename", "replace", "renames", "link", "symlink"},
    "np": {"save", "savez", "savez_compressed", "savetxt"},
    "nib": {"save"},
    "torch": {"save"},
    "sitk": {"WriteImage"},
    "json": {"dump"},
    "pickle": {"dump"},
    "tempfile": {"mkdtemp", "mkstemp", "TemporaryDirectory", "NamedTemporaryFile", "TemporaryFile"},
}
OTHERWISE = {
    "liverseg_gui/system/atomic_write.py": "the one way",
    "liverseg_gui/system/temporary_files.py": "the one place for what is gone afterwards",
    "liverseg_gui/system/crash_report.py": "crash logs, which a crashing process appends to",
    "liverseg_gui/cli/main.py": "standard streams",
    "liverseg_gui/cli/self_test/exports.py": "changes a series of its own",
    "liverseg_gui/evaluation/report/plots.py": "into memory",
    "liverseg_gui/io/archives.py": "unpacked into a temporary folder",
    "liverseg_gui/io/dicom/pixels.py": "a frame for the decoder, in a temporary folder",
    "liverseg_gui/io/dicom/write.py": "into a partial folder, flushed",
    "liverseg_gui/io/formats/nifti_write.py": "writes to the path that it is given beside",
    "liverseg_gui/io/masks/slice_images.py": "into a partial folder, flushed",
    "liverseg_gui/segmentation/models/store.py": "into a half model, flushed and renamed",
    "liverseg_gui/segmentation/models/zip_file.py": "into a half model, flushed there",
    "liverseg_gui/segmentation/runtime/openvino.py": "a cache; read with checksums",
    "liverseg_gui/state/annotation_store.py": "sets damaged readings aside",
    "liverseg_gui/state/settings.py": "sets damaged settings aside",
    "liverseg_gui/ui/training_window/process/training_process.py": "what another process prints",
    "training/data/preprocess_cache.py": "a cache; read with checksums",
    "training/data/volume_case.py": "copies into a temporary folder",
    "training/runs/epoch_log.py": "notes are appended, and may be lost",
    "training/runs/events.py": "events are appended; what must last is in record and checkpoint",
}


def writes(path: Path) -> list[str]:
    """The calls in a module that write, and are not inside `with atomic_write(...)`."""
    found: list[str] = []

    def visit(node: ast.AST, safe: bool) -> None:
        if isinstance(node, ast.With):
            safe = safe or any("atomic_write(" in ast.unparse(item) for item in node.items)
        if isinstance(node, ast.Call) and not safe and (what := write_call(node)):
            found.append(f"{what} in line {node.lineno}")
        for child in ast.iter_child_nodes(node):
            visit(child, safe)

    visit(ast.parse(path.read_text("utf-8")), False)
    return found


def write_call(call: ast.Call) -> str | None:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)
    owner = ast.unparse(function.value) if isinstance(function, ast.Attribute) else ""
    modes = [
        node.value
        for node in (*call.args, *(keyword.value for keyword in call.keywords))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    opens = name in ("open", "ZipFile", "GzipFile", "IGzipFile", "fdopen")
    if opens and any(set(mode) <= set("rwaxbt+") and set(mode) & set("wax+") for mode in modes):
        return f"{name}({', '.join(modes)})"
    moves = name == "replace" and len(call.args) == 1 and not call.keywords
    known = (owner and name in METHODS) or moves or (owner == "image" and name == "save")
    return f"{owner}.{name}" if known or name in MODULES.get(owner, ()) else None


def test_nothing_is_written_in_another_way() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for path in PRODUCT:
        place = path.relative_to(ROOT).as_posix()
        if place not in OTHERWISE:
            found[place] += writes(path)
    assert {place: calls for place, calls in found.items() if calls} == {}


def test_who_writes_otherwise_still_does() -> None:
    assert [place for place in OTHERWISE if not writes(ROOT / place)] == []
