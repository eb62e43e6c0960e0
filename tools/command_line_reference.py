"""The part of docs/command-line.md that lists commands and options, made from the parsers.

`python tools/command_line_reference.py` writes it anew; the page around it is written by hand.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from liverseg_gui.cli.main import command_parser, window_parser
from training.config.train_config import TrainConfig

PAGE = Path(__file__).parents[1] / "docs" / "command-line.md"
BEGIN, END = (
    f"<!-- {word} of what tools/{Path(__file__).name} makes -->" for word in ("begin", "end")
)

_PLAIN_GROUPS = ("positional arguments", "options")
"""argparse's own groups, which need no heading."""


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """Each command with its name, its parser and what it does; `liverseg models add` is one too."""
    yield "liverseg", window_parser(), "open the window, on a scan and a mask if they are given"
    yield from _below(command_parser())


def _below(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, below in action.choices.items():
                yield below.prog, below, helps[name]
                yield from _below(below)


def options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """What `parser` takes, but for its help and its commands."""
    own = (argparse._HelpAction, argparse._SubParsersAction)
    return [action for action in parser._actions if not isinstance(action, own)]


def default_of(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    """The default as one would type it, or nothing. Options of the recipe have the recipe's."""
    value = action.default
    if value is None and parser.prog == "liverseg train":
        value = getattr(TrainConfig(), action.dest, None)
    if value is None or value is False or value == [] or value == argparse.SUPPRESS:
        return ""
    values = value if isinstance(value, tuple) else (value,)
    return " ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values)


def reference() -> str:
    """All commands as Markdown, whatever the width of the terminal."""
    return "\n".join(
        line for name, parser, about in parsers() for line in _section(name, parser, about)
    )


def _section(name: str, parser: argparse.ArgumentParser, about: str) -> Iterator[str]:
    yield from (
        f"### {name}",
        "",
        f"{about[0].upper()}{about[1:]}.",
        "",
        f"    {_usage(parser)}",
        "",
    )
    plain: list[argparse.Action] = []
    for group in parser._action_groups:
        actions = [action for action in options(parser) if action in group._group_actions]
        if group.title in _PLAIN_GROUPS:
            plain += actions
        elif actions:
            yield from (f"**{str(group.title).capitalize()}**", "")
            yield from _table(actions, parser)
    if plain:
        yield from _table(plain, parser)
    if parser.epilog:
        yield from (f"    {line}".rstrip() for line in parser.epilog.strip().splitlines())
        yield ""


def _table(actions: list[argparse.Action], parser: argparse.ArgumentParser) -> Iterator[str]:
    yield from ("| option | default | meaning |", "|---|---|---|")
    for action in actions:
        default = default_of(action, parser)
        meaning = (action.help or "").removesuffix(f" ({default})")
        yield f"| `{_words(action)}` | {f'`{default}`' if default else ''} | {meaning} |"
    yield ""


def _usage(parser: argparse.ArgumentParser) -> str:
    """The words that cannot be left out, and places for the others."""
    needed = [a for a in options(parser) if a.required and a.option_strings]
    placed = [a for a in options(parser) if not a.option_strings]
    words = [f"[{_value(a)}]" if a.nargs == "?" else _value(a) for a in placed]
    parts = [*words, *(f"{a.option_strings[0]} {_value(a)}" for a in needed)]
    more = len(parts) < len(options(parser))
    return " ".join([parser.prog, *parts, *(["[OPTIONS]"] if more else [])])


def _words(action: argparse.Action) -> str:
    """An option as it is written: its names, the short one first, and its value."""
    names = ", ".join(action.option_strings)
    return f"{names} {_value(action)}".strip()


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    name: Any = action.metavar or action.dest.upper()
    if action.choices:
        name = "{" + ",".join(map(str, action.choices)) + "}"
    if isinstance(name, tuple):
        return " ".join(name)
    return {"*": f"[{name} ...]", "+": f"{name} ..."}.get(str(action.nargs), name)


def renewed(page: str) -> str:
    """`page` with its made part as the parsers are now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8")), "utf-8")
