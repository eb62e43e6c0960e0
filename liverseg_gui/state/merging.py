"""Merge of the settings that two running programs write to one file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


def merged(
    known: Mapping[str, Any],
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
    by_name: Collection[str],
    lists: Collection[str] = (),
) -> dict[str, Any]:
    """`mine` with what another program has written since this one last read or wrote the file.

    `known` is what this program kept then, `theirs` what the file holds now. What was changed here
    since then counts, of all else what the file says. The fields `by_name` are tables, in which
    each entry is looked at by itself. Fields that only another version knows stay as they are. The
    entries of `lists` are looked at by themselves, too; those that came here stand first.
    """
    out: dict[str, Any] = {}
    for key, value in mine.items():
        before, now = known.get(key), theirs.get(key, value)
        tables = (before, value, now)
        if key in by_name and all(isinstance(table, Mapping) for table in tables):
            out[key] = _merged_table(before, value, now)
        elif key in lists and all(isinstance(entries, list) for entries in tables):
            out[key] = _merged_list(before, value, now)
        else:
            out[key] = value if value != before else now
    return out | {key: now for key, now in theirs.items() if key not in mine}


def _merged_list(before: Any, mine: Any, theirs: Any) -> list[Any]:
    """Without what was taken out on either side; what was put first here stays first."""
    if mine == before:
        return list(theirs)
    kept = [entry for entry in mine if entry in theirs or entry not in before or entry == mine[0]]
    return [*kept, *(entry for entry in theirs if entry not in before and entry not in mine)]


def _merged_table(before: Any, mine: Any, theirs: Any) -> dict[str, Any]:
    """Entry by entry; those that were made elsewhere come first, so that the newest are last."""
    made_elsewhere = [name for name in theirs if name not in mine]
    out = {}
    for name in (*made_elsewhere, *mine):
        changed_here = mine.get(name) != before.get(name)
        taken = mine if changed_here else theirs
        if name in taken:
            out[name] = taken[name]
    return out
