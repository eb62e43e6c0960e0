"""What Windows and macOS are told about the program, as far as it can be looked at elsewhere."""

from __future__ import annotations

import plistlib
import re
from pathlib import Path

import pytest
import systems

from liverseg_gui.io.file_endings import ITK
from liverseg_gui.ui.app.app import _TASKBAR_ID

INSTALLER = (systems.HERE / "windows" / "liverseg.iss").read_text()


def section(name: str) -> list[str]:
    """The entries of a section of the installer's script."""
    _, _, rest = INSTALLER.partition(f"\n[{name}]\n")
    lines = rest.partition("\n[")[0].splitlines()
    return [line for line in lines if line and not line.startswith((";", "#"))]


def endings() -> set[str]:
    return {ending for kind in systems.DOCUMENTS.values() for ending in kind}


def test_the_documents_are_what_the_program_opens() -> None:
    assert endings() == {"dcm", "nii", "nii.gz", *(e.removeprefix(".") for e in ITK)}


def test_info_plist_can_be_written_and_names_version_and_documents() -> None:
    read = plistlib.loads(plistlib.dumps(systems.info_plist("1.2.3")))
    assert read["CFBundleVersion"] == "1.2.3"
    assert read["NSHighResolutionCapable"] is True
    offered = [kind["CFBundleTypeExtensions"] for kind in read["CFBundleDocumentTypes"]]
    assert {ending for kind in offered for ending in kind} == endings()
    assert "LSBackgroundOnly" not in read


def test_the_entitlements_allow_code_that_is_made_while_it_runs() -> None:
    allowed = plistlib.loads((systems.HERE / "macos" / "entitlements.plist").read_bytes())
    assert allowed == {
        "com.apple.security.cs.allow-jit": True,
        "com.apple.security.cs.allow-unsigned-executable-memory": True,
    }


@pytest.mark.parametrize(
    ("version", "numbers"), [("1.2.3", (1, 2, 3, 0)), ("2.0rc1", (2, 0, 1, 0))]
)
def test_the_version_resource_has_the_version_as_numbers_and_as_text(
    version: str, numbers: tuple[int, ...], version_resources: None
) -> None:
    resource = systems.version_resource("liverseg-window", version)
    told = str(resource)
    assert f"filevers={numbers}" in told
    assert f"StringStruct('FileVersion', '{version}')" in told
    assert "StringStruct('OriginalFilename', 'liverseg-window.exe')" in told


def test_the_installer_has_every_section() -> None:
    for name in ("Setup", "Tasks", "InstallDelete", "Files", "Icons", "Registry", "Run"):
        assert section(name), name


def test_the_installer_uses_only_names_that_it_defines_or_is_handed() -> None:
    defined = set(re.findall(r"^#define (\w+)", INSTALLER, re.M))
    assert set(re.findall(r"\{#(\w+)\}", INSTALLER)) == {*defined, "Version", "Package", "Sign"}


def test_the_installer_needs_no_rights_and_asks_where_it_has_them() -> None:
    setup = dict(line.split("=", 1) for line in section("Setup"))
    assert setup["PrivilegesRequired"] == "lowest"
    assert setup["PrivilegesRequiredOverridesAllowed"] == "dialog commandline"
    assert Path(systems.HERE / "windows" / setup["SetupIconFile"]).is_file()


def test_the_installer_offers_the_program_for_every_document_and_takes_it_back() -> None:
    offers = [line for line in section("Registry") if "OpenWithProgids" in line]
    found = {match for line in offers for match in re.findall(r"\\\.(\w+)\\", line)}
    assert found == {ending.rpartition(".")[2] for ending in endings()}
    assert all("uninsdeletevalue" in line and "Tasks: associate" in line for line in offers)


def test_the_shortcuts_have_the_windows_place_in_the_taskbar() -> None:
    assert all(f'AppUserModelID: "{_TASKBAR_ID}"' in line for line in section("Icons"))
