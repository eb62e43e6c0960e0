"""What the commands write as JSON is what docs/schemas and docs/json.md say."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tools.json_reference import PAGE, renewed, schemas

SCHEMAS = {schema["$id"].partition(".")[0]: schema for schema in schemas()}
REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()
)
OPTIONAL = {
    "train-check": {"size", "spacing_mm", "liver_ml", "tumor_ml", "lesions", "0", "1", "2"},
    "models": {"architecture"},
    "train-event": {"eta_s"},
}
"""Fields that are there only sometimes."""


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(SCHEMAS[name], registry=REGISTRY)


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_written_has_its_schema(name: str, written: dict[str, list[Any]]) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    for document in written[name]:
        validator(name).validate(document)


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """`value` and all objects within it."""
    if isinstance(value, dict):
        yield value
    for part in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from objects(part)


def samples(name: str, written: dict[str, list[Any]]) -> list[Any]:
    """A document of the schema; of events one of each kind."""
    if name != "train-event":
        return written[name][:1]
    return list({event["event"]: event for event in written[name]}.values())


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_field_that_is_not_described_breaks_the_schema(
    name: str, written: dict[str, list[Any]]
) -> None:
    for document in copy.deepcopy(samples(name, written)):
        for part in objects(document):
            part["surprise"] = 1
            assert not validator(name).is_valid(document), part
            del part["surprise"]
        assert validator(name).is_valid(document)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_field_that_is_missing_breaks_the_schema(
    name: str, written: dict[str, list[Any]]
) -> None:
    for document in copy.deepcopy(samples(name, written)):
        for part in objects(document):
            for field in part.keys() - OPTIONAL.get(name, set()):
                kept = part.pop(field)
                assert not validator(name).is_valid(document), (field, part)
                part[field] = kept


def test_every_event_of_a_training_was_seen(written: dict[str, list[Any]]) -> None:
    parts = SCHEMAS["train-event"]["$defs"].values()
    known = {
        part["properties"]["event"]["const"] for part in parts if "event" in part["properties"]
    }
    seen = {event["event"] for event in written["train-event"]}
    assert known - seen == {"note"}, "a note comes where a person should know of something"


def test_what_scripts_rely_on_is_there(written: dict[str, list[Any]]) -> None:
    assert set(SCHEMAS["report"]["required"]) >= {
        *("liver_ml", "tumor_ml", "tumor_burden_percent", "lesions", "warnings"),
        *("model", "device", "seconds", "peak_memory_mb"),
    }
    lesion = SCHEMAS["report"]["$defs"]["lesion"]["required"]
    figures = {"volume_ml", "longest_axial_mm", "perpendicular_mm", "touches_edge", "measurable"}
    assert set(lesion) >= figures
    volume, issue = (SCHEMAS["info"]["$defs"][name]["required"] for name in ("volume", "finding"))
    assert set(volume) >= {"size", "spacing_mm", "slices", "modality", "path", "findings"}
    assert set(issue) >= {"code", "severity", "message", "remedy"}
    case, label = (SCHEMAS["evaluation"]["$defs"][name]["required"] for name in ("case", "label"))
    assert set(case) >= {"name", "liver", "tumor", "lesions"}
    assert set(label) >= {"dice", "voe", "rvd", "assd_mm", "mssd_mm", "nsd"}
    assert set(SCHEMAS["evaluation"]["$defs"]["lesions"]["required"]) >= {
        "precision",
        "recall",
        "f1",
    }


UNITS = {
    "ml": r"\bml\b",
    "mm": r"\bmm\b",
    "mm2": r"\bmm2\b",
    "percent": r"percent",
    "hu": r"\bHU\b",
    "mb": r"\bMB\b",
    "deg": r"degrees",
    "s": r"[Ss]econds",
    "seconds": r"[Ss]econds",
    "bytes": r"bytes",
    "ijk": r"voxel",
    "dice": r"0 to 1",
}
"""How the end of a name is told in its description."""


def fields(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of every object in `schema`, with what is said about it."""
    for part in objects(schema):
        if isinstance(part.get("properties"), dict) and ("type" in part or "$ref" in part):
            yield from part["properties"].items()


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_is_described_with_its_unit(name: str) -> None:
    described = list(fields(SCHEMAS[name]))
    assert len(described) > 2
    for field, about in described:
        unit = UNITS.get(field.rpartition("_")[2], "")
        assert about["description"], field
        assert re.search(f"{unit}|interval|Number of patients", about["description"]), field


def test_the_page_is_what_the_schemas_give() -> None:
    page = PAGE.read_text("utf-8")
    assert page == renewed(page), "write it anew: python tools/json_reference.py"
