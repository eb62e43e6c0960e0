"""`liverseg info` and `liverseg models`: what is in a path, and what models there are."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from liverseg_gui.cli.console import console_progress
from liverseg_gui.io.entries import VolumeEntry
from liverseg_gui.io.scans import list_volumes
from liverseg_gui.segmentation.registry import list_models


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register both subcommands."""
    info = commands.add_parser("info", help="list the volumes in a file or folder")
    info.add_argument("input", type=Path, help="NIfTI file, DICOM file or DICOM folder")
    info.add_argument("--json", action="store_true", help="print JSON")
    info.set_defaults(run=run_info)
    models = commands.add_parser("models", help="list the models that come with the program")
    models.set_defaults(run=run_models)


def run_info(arguments: argparse.Namespace) -> int:
    """Print the volumes, numbered as --volume takes them."""
    with console_progress(quiet=arguments.json) as progress:
        entries = list_volumes(arguments.input, progress)
    if arguments.json:
        rows = [_row(number, entry) for number, entry in enumerate(entries, 1)]
        print(json.dumps({"volumes": rows}, indent=2))
        return 0
    for number, entry in enumerate(entries, 1):
        print(f"{number}: {entry}")
        if entry.problem:
            print(f"   {entry.problem}")
    return 0


def _row(number: int, entry: VolumeEntry) -> dict[str, Any]:
    findings = []
    if entry.problem:
        findings.append(
            {
                "code": "no-even-volume",
                "severity": "error",
                "message": entry.problem,
                "remedy": "Resample the scan or export it again.",
            }
        )
    return {
        "number": number,
        "path": str(entry.path),
        "description": entry.description,
        "modality": entry.modality,
        "size": entry.size,
        "slices": entry.size[2],
        "spacing_mm": entry.spacing_mm,
        "findings": findings,
    }


def run_models(_arguments: argparse.Namespace) -> int:
    """Print each model with its architecture and held-out figures."""
    for card in list_models():
        held_out = card.about.get("held_out", [])
        liver = [row["liver_dice"] for row in held_out]
        figures = f", liver Dice {sum(liver) / len(liver):.3f} held out" if liver else ""
        print(f"{card.name}: {card.architecture}, {card.size[0]} x {card.size[1]}{figures}")
    return 0
