"""`liverseg models`: list, add, choose, remove and export models."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from liverseg_gui.cli.console import console_progress, say, say_json
from liverseg_gui.core.errors import Cancelled, ModelError, NameTakenError, SaveError
from liverseg_gui.segmentation.models.description import card_facts, figure_text, model_figures
from liverseg_gui.segmentation.models.history import roll_back
from liverseg_gui.segmentation.models.registry import (
    InstalledModel,
    ModelChoice,
    ModelSource,
    choose_model,
    chosen_model,
    find_installed,
    find_model,
    list_models,
    models_folder,
    read_weights,
    user_models,
)
from liverseg_gui.segmentation.models.store import add_model, export_as_zip, remove_model
from liverseg_gui.segmentation.runtime.choice_cache import remembered_choices
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.site_model import SiteModel
from liverseg_gui.system.devices import DEVICES
from liverseg_gui.system.plain_text import one_line

_HEAD = ("", "name", "origin", "architecture", "MB", "patients", "liver", "tumor")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the subcommand and its own ones."""
    models = commands.add_parser("models", help="list, add, choose, remove and export models")
    models.add_argument("--json", action="store_true", help="print JSON")
    models.set_defaults(run=run_list)
    what = models.add_subparsers(metavar="WHAT")
    add = what.add_parser("add", help="add a model folder, or the zip of one")
    add.add_argument("path", type=Path, metavar="PATH", help="model folder or .zip")
    add.add_argument("--name", help="what to call it, in place of the name on its card")
    _add_all_users(add, "add it for all users of this computer (an administrator)")
    add.set_defaults(run=run_add)
    choose = what.add_parser("choose", help="use a model from now on")
    choose.add_argument("name", metavar="NAME", help="name, as the list shows it")
    _add_all_users(choose, "for all users who chose none themselves (an administrator)")
    choose.set_defaults(run=run_choose)
    back = what.add_parser("roll-back", help="use the model again that an improved one replaced")
    back.set_defaults(run=run_roll_back)
    remove = what.add_parser("remove", help="remove a model that was added")
    remove.add_argument("name", metavar="NAME", help="name, as the list shows it")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    _add_all_users(remove, "remove one that is for all users (an administrator)")
    remove.set_defaults(run=run_remove)
    export = what.add_parser("export", help="write a model as one zip, for another workstation")
    export.add_argument("name", metavar="NAME", help="name, as the list shows it")
    export.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE.zip", help="zip to write"
    )
    export.set_defaults(run=run_export)
    measure = what.add_parser("measure", help="measure anew what computes a model fastest here")
    measure.add_argument(
        "name", metavar="NAME", nargs="?", help="name or folder; else the chosen one"
    )
    measure.add_argument(
        "--device",
        default="auto",
        choices=tuple(DEVICES),
        help="processor or graphics card (auto)",
    )
    measure.set_defaults(run=run_measure_runtimes)
    show = what.add_parser("show", help="the card of a model")
    show.add_argument("name", metavar="NAME", help="name or folder")
    show.set_defaults(run=run_show)


def _add_all_users(parser: argparse.ArgumentParser, does: str) -> None:
    parser.add_argument("--all-users", action="store_true", help=does)


def run_list(arguments: argparse.Namespace) -> int:
    """Print all models as a table or as JSON."""
    models, chosen = list_models(), chosen_model(Settings())
    if arguments.json:
        say_json([_row(model, chosen) for model in models])
        return 0
    say(*_table(models, chosen), "", *_below(models, chosen))
    return 0


def _row(model: InstalledModel, chosen: str) -> dict[str, Any]:
    card = model.card
    row: dict[str, Any] = {
        "name": model.name,
        "origin": model.origin,
        "chosen": model.name == chosen,
        "folder": str(model.folder),
        "problem": model.problem,
        "weights_bytes": model.weights_bytes,
    }
    if card is not None:
        row |= {"architecture": card.architecture, "size": card.size, "sha256": card.sha256}
        row |= vars(model_figures(card))
    return row


def _table(models: list[InstalledModel], chosen: str) -> list[str]:
    rows = [_HEAD, *(_cells(model, chosen) for model in models)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    right = range(4, len(_HEAD))
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _cells(model: InstalledModel, chosen: str) -> tuple[str, ...]:
    mark = "*" if model.name == chosen else ""
    megabytes = f"{model.weights_bytes / 1e6:.0f}"
    if model.card is None:
        return mark, model.name, model.origin, "cannot be used", megabytes, "-", "-", "-"
    figures = model_figures(model.card)
    patients = "-" if figures.patients is None else str(figures.patients)
    dice = figure_text(figures.liver_dice), figure_text(figures.tumor_dice)
    return mark, model.name, model.origin, model.card.architecture, megabytes, patients, *dice


def _below(models: list[InstalledModel], chosen: str) -> list[str]:
    """What stands below the table: problems, what the columns mean, and where things are."""
    known = chosen in [model.name for model in models]
    return [
        *(f"{model.name}: {model.problem}" for model in models if model.problem),
        *([] if known else [f"The chosen model {chosen!r} is not there any more: choose another."]),
        *(line for model in models if model.name == chosen for line in _where(model)),
        "* is used where nothing else is said. Patients: how many it was trained on. Liver, tumor:",
        "mean Dice of held-out patients, as its card says.",
        f"Models that are added lie in {user_models()},",
        f"those for all users in {models_folder(ModelSource.SITE)}{_unreadable()}.",
    ]


def _unreadable() -> str:
    """Why the models for all users are not listed, where there is a reason."""
    try:
        list(models_folder(ModelSource.SITE).iterdir())
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f", which cannot be read ({error.strerror or error})"
    return ""


def _where(model: InstalledModel) -> list[str]:
    """What computes the chosen model on which device of this computer, and why."""
    choices = remembered_choices(model.card.sha256) if model.card else ()
    if not choices:
        return [f"What computes {model.name} fastest here is measured when it first segments."]
    return [f"{model.name} on {choice.device}: {choice.reason}." for choice in choices]


def run_measure_runtimes(arguments: argparse.Namespace) -> int:
    """Measure what computes a model fastest here, and remember it."""
    from liverseg_gui.segmentation.inference import measure_runtimes
    from liverseg_gui.segmentation.runtime.base import pick_device

    card = find_model(chosen_model(Settings(), arguments.name))
    with console_progress() as progress:
        choice = measure_runtimes(card, pick_device(arguments.device), progress)
    say(*choice.tried, f"{card.name} on {choice.device}: {choice.reason}.")
    return 0


def run_add(arguments: argparse.Namespace) -> int:
    """Check a model and add it."""
    place = _place(arguments)
    with console_progress() as progress:
        try:
            added = add_model(arguments.path, arguments.name, progress, place=place)
        except NameTakenError as taken:
            raise ModelError(f"{taken} --name gives it one.") from taken
    words = shlex.quote(added.name) + (" --all-users" if arguments.all_users else "")
    say(f"{added.name} is added. `liverseg models choose {words}` uses it from now on.")
    return 0


def _place(arguments: argparse.Namespace) -> ModelSource:
    return ModelSource.SITE if arguments.all_users else ModelSource.USER


def run_choose(arguments: argparse.Namespace) -> int:
    """Use a model from now on."""
    with _choice(arguments) as settings:
        if arguments.all_users:
            _require_for_all(arguments.name)
        chosen = choose_model(arguments.name, settings)
    whom = " by all users who chose none themselves" if arguments.all_users else ""
    say(f"{chosen.name} is used from now on{whom}.")
    return 0


def _require_for_all(name: str) -> None:
    """Check that not only one user has the model.

    Raises:
        ModelError: the others lack it.
    """
    found = find_installed(name)
    lacking = find_installed(name, ModelSource.SITE) is None
    if found is not None and found.place is ModelSource.USER and lacking:
        raise ModelError(
            f"{found.name!r} is yours alone. Add it for all users first: `liverseg models add "
            f"{shlex.quote(str(found.folder))} --all-users --name NAME`, with another name."
        )


def run_roll_back(arguments: argparse.Namespace) -> int:
    """Use the model again that the one in use took the place of."""
    with kept_settings() as settings:
        instead_of = settings.model
        chosen = roll_back(settings)
    say(f"{chosen.name} is used from now on, in place of {instead_of}.")
    return 0


def _choice(arguments: argparse.Namespace) -> AbstractContextManager[ModelChoice]:
    """Whose choice of a model a command changes."""
    return nullcontext(SiteModel()) if arguments.all_users else kept_settings()


@contextmanager
def kept_settings() -> Iterator[Settings]:
    """The settings, to be changed.

    Raises:
        SaveError: a change was not kept.
    """
    settings = Settings()
    yield settings
    if settings.problem is not None:
        raise SaveError(
            settings.problem.message,
            f"{settings.problem.remedy} --model names one for a single command.",
        )


def run_remove(arguments: argparse.Namespace) -> int:
    """Remove a model that was added, once the user has confirmed."""
    place = _place(arguments)
    found = find_installed(arguments.name, place)
    if found is not None and not arguments.yes:
        _ask(f"Remove the model {found.name} ({found.folder})?")
    with _choice(arguments) as settings:
        was_chosen = settings.model
        removed = remove_model(arguments.name, settings, place)
    say(f"{removed.name} is removed.")
    if settings.model != was_chosen:
        say(f"{settings.model} is used from now on.")
    return 0


def _ask(question: str) -> None:
    """Go on only with a yes.

    Raises:
        ModelError: there is nobody to ask.
        Cancelled: the answer is no.
    """
    if not sys.stdin or not sys.stdin.isatty():
        raise ModelError(f"{question} There is nobody to ask here: say --yes.")
    try:
        answer = input(f"{one_line(question)} [y/N] ")
    except EOFError:  # Ctrl+D
        answer = "no"
    if answer.strip().lower() not in ("y", "yes"):
        raise Cancelled


def run_export(arguments: argparse.Namespace) -> int:
    """Write a model as a zip."""
    with console_progress() as progress:
        card = export_as_zip(arguments.name, arguments.output, progress)
    say(f"{card.name} is in {arguments.output}. Its card names the cases it was trained on.")
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """Print the card of a model, its weights checked."""
    card = find_model(arguments.name)
    say(f"{card.name} ({card.folder})")
    for heading, text in card_facts(card):
        say(f"{heading}: {text}")
    read_weights(card)
    say("The weights are whole.")
    return 0
