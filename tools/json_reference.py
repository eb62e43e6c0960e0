"""The part of docs/json.md that lists fields, made from docs/schemas.

`python tools/json_reference.py` writes it anew; the page around it is written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
PAGE, SCHEMAS = DOCS / "json.md", DOCS / "schemas"
BEGIN, END = (
    f"<!-- {word} of what tools/{Path(__file__).name} makes -->" for word in ("begin", "end")
)

Schema = Mapping[str, Any]
_ORDER = ("report", "info", "evaluation", "models", "train-event", "train-check", "truth")


def schemas() -> list[Schema]:
    """All schemas, in the order of the page."""
    there = {path.name.partition(".")[0] for path in SCHEMAS.iterdir()}
    assert there == set(_ORDER), "a schema has no place in the page"
    return [json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8")) for name in _ORDER]


def reference() -> str:
    """All fields of all schemas as Markdown."""
    return "\n".join(line for schema in schemas() for line in _section(schema))


def _section(schema: Schema) -> Iterator[str]:
    link = f"[Schema](schemas/{schema['$id']})"
    yield from (f"## {schema['title']}", "", schema["description"], f"{link}.", "")
    whole = schema.get("items", schema)
    if "properties" in whole:
        yield from _tables("", whole)
    for name, part in schema.get("$defs", {}).items():
        event = part.get("properties", {}).get("event", {}).get("const")
        yield from (f"**`{event or name}`**: {part['description']}.", "")
        yield from _tables(event or name, part)


def _tables(name: str, part: Schema) -> Iterator[str]:
    """The table of an object, then those of the objects within it."""
    fields = {field: about for field, about in part["properties"].items() if field != "event"}
    if fields:
        yield from ("| field | type | meaning |", "|---|---|---|")
    for field, about in fields.items():
        yield f"| `{field}` | {_kind(about)} | {about['description']} |"
    if fields:
        yield ""
    for field, about in fields.items():
        if "properties" in about:
            path = f"{name}.{field}".removeprefix(".")
            yield from (f"**`{path}`**", "")
            yield from _tables(path, about)


def _kind(about: Schema) -> str:
    """What a field may be, in words."""
    if "enum" in about:
        return ", ".join(f"`{value}`" for value in about["enum"])
    if "$ref" in about:
        return f"`{about['$ref'].rpartition('/')[2]}`"
    if "anyOf" in about:
        return " or ".join(_kind(one) for one in about["anyOf"])
    kinds = about["type"] if isinstance(about["type"], list) else [about["type"]]
    return " or ".join(_list(about) if kind == "array" else _WORDS[kind] for kind in kinds)


_WORDS = {
    "number": "number",
    "integer": "whole number",
    "string": "text",
    "boolean": "true or false",
    "object": "object",
    "null": "null",
}


def _list(about: Schema) -> str:
    count = f"{about['maxItems']} " if "maxItems" in about else ""
    return f"list of {count}{_many(about['items']) if 'items' in about else 'values'}"


def _many(about: Schema) -> str:
    """What the items of a list are."""
    kind = _kind(about)
    return (
        kind
        if "$ref" in about
        else kind.replace("list of", "lists of")
        if "list" in kind
        else f"{kind}s"
    )


def renewed(page: str) -> str:
    """`page` with its made part as the schemas are now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8")), "utf-8")
