"""The figures of several folds, pooled: each patient by the network that has not seen it.

    python -m training.evaluation.cross_validation OUT [OUT ...] [--markdown] [--card MODEL]

takes the folders that `liverseg train --folds N --fold F` wrote, one for each fold, checks that no
patient was trained on where it is judged and that none is judged twice, and prints one table. With
`--card` the metrics are put on the card of the model that was trained on all patients.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from liverseg_gui.core.errors import LiverSegError, UnreadableFileError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.evaluation.confidence_interval import mean_interval
from liverseg_gui.evaluation.lesion_detection import LesionCounts
from liverseg_gui.segmentation.models.registry import CARD
from training.export.model_card import add_to_card, main_figures
from training.runs.files import HELD_OUT, MODEL

Row = dict[str, Any]


def pool_folds(folders: Sequence[Path]) -> list[Row]:
    """The held-out patients of all folds, sorted by name: `CaseMetrics.to_json()` of each.

    Raises:
        UnreadableFileError: a folder holds no finished training.
        LiverSegError: a patient is in two folds, or was trained on by the network that judged it.
    """
    rows: dict[str, Row] = {}
    for folder in folders:
        fold = _fold(folder)
        for row in fold["cases"]:
            name = row["name"]
            if name in fold["trained_on"]:
                raise LiverSegError(f"{folder} was trained on patient {name}, whom it judges.")
            if name in rows:
                raise LiverSegError(f"Patient {name} is held out twice, again in {folder}.")
            rows[name] = row
    return [rows[name] for name in sorted(rows)]


def means(rows: Sequence[Row]) -> Row:
    """What a configuration is judged by, over patients, with bootstrap intervals (95 %).

    `tumor_dice` is over the patients with a tumor of at least 10 mm, lesion F1 over all lesions
    of at least 10 mm together; false tumor over the patients without any.
    """
    liver = [row["liver"]["dice"] for row in rows]
    large = [row for row in rows if _large(row).true]
    tumor = [row["tumor"]["dice"] for row in large]
    every = [row["tumor"]["dice"] for row in rows if row["lesions"]["true"]]
    lesions = sum((_large(row) for row in rows), LesionCounts())
    false = [row["false_positive"]["tumor_percent_of_liver"] for row in rows]
    false = [value for value in false if value is not None]
    return {
        "patients": len(rows),
        "liver_dice": _mean(liver),
        "liver_dice_interval": mean_interval(liver),
        "liver_dice_lowest": min(liver),
        "tumor_dice": _mean(tumor),
        "tumor_dice_interval": mean_interval(tumor),
        "tumor_dice_patients": len(tumor),
        "tumor_dice_any_size": _mean(every),
        "lesion_f1_from_10_mm": lesions.f1,
        "false_tumor_percent": _mean(false),
        "false_tumor_percent_highest": max(false, default=None),
    }


def markdown(rows: Sequence[Row]) -> str:
    """The patients as a Markdown table."""
    lines = [
        "| patient | liver Dice | tumor Dice | lesions of 10 mm found / true | false tumor, % "
        "of liver |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        large, false = _large(row), row["false_positive"]["tumor_percent_of_liver"]
        tumor = _text(row["tumor"]["dice"]) if row["lesions"]["true"] else "no tumor"
        lines.append(
            f"| {row['name']} | {_text(row['liver']['dice'])} | {tumor} "
            f"| {large.true_matched} / {large.true} | {'' if false is None else f'{false:.2f}'} |"
        )
    return "\n".join(lines)


def _large(row: Row) -> LesionCounts:
    counts = row["lesions"]["from_10_mm"]
    return LesionCounts(**{field.name: counts[field.name] for field in fields(LesionCounts)})


def _fold(folder: Path) -> Row:
    path = folder / HELD_OUT
    try:
        fold: Row = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableFileError(
            f"{path} is missing or damaged. Name the folder of a training that is finished."
        ) from error
    return fold


def _same_config(folders: Sequence[Path], model: Path) -> None:
    """Metrics of folds hold for a model of the same configuration alone."""
    config = _config(model)
    for folder in folders:
        if _config(folder / MODEL) != config:
            raise LiverSegError(
                f"{folder} was trained by another recipe than {model}. Name folds of one recipe."
            )


def _config(model: Path) -> object:
    try:
        return parse_json((model / CARD).read_text(encoding="utf-8")).get("training")
    except (OSError, ValueError) as error:
        raise UnreadableFileError(
            f"{model / CARD} is missing or damaged. Name the folder of a training that is finished."
        ) from error


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="figures of several folds together")
    parser.add_argument("folders", type=Path, nargs="+", metavar="OUT")
    parser.add_argument("--markdown", action="store_true", help="a table of the patients")
    parser.add_argument("--card", type=Path, metavar="MODEL", help="model folder to describe")
    arguments = parser.parse_args()
    try:
        rows = pool_folds(arguments.folders)
        if arguments.card:
            _same_config(arguments.folders, arguments.card)
            figures = {**means(rows), "cases": [main_figures(row) for row in rows]}
            add_to_card(arguments.card, {"cross_validation": figures})
    except LiverSegError as error:
        print(error, file=sys.stderr)
        return 1
    if arguments.markdown:
        print(markdown(rows), end="\n\n")
    print(json.dumps(means(rows), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
