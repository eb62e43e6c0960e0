"""Choice of the validation slices that are shown after each epoch."""

from __future__ import annotations

import numpy as np

from training.data.slice_dataset import PreparedCase
from training.learner.callbacks.validation_images import shown_slices


def case(name: str, liver: dict[int, int], tumor: dict[int, int], slices: int = 40) -> PreparedCase:
    """A case whose slices hold so many pixels of each."""
    labels = np.zeros((slices, 10, 10), np.uint8)
    for n, count in liver.items():
        labels[n].flat[:count] = 1
    for n, count in tumor.items():
        labels[n].flat[:count] = 2
    return PreparedCase(name, labels, labels, np.arange(slices) * 1.0, 1.0)


LIVER = dict.fromkeys(range(5, 35), 20) | {20: 60}


def test_the_largest_tumor_and_the_largest_liver_of_each_patient_come_first() -> None:
    cases = [case("a", LIVER, {9: 3, 10: 5}), case("b", LIVER, {30: 2})]
    assert shown_slices(cases, 4) == [(0, 10), (0, 20), (1, 20), (1, 30)]


def test_the_rest_lies_in_the_liver_and_not_beside_what_is_shown() -> None:
    shown = [n for _, n in shown_slices([case("a", LIVER, {10: 5})])]
    assert len(set(shown)) == 6
    assert {10, 20} < set(shown)
    others = [n for n in shown if n not in (10, 20)]
    assert all(5 <= n < 35 for n in others)
    assert all(abs(n - m) > 2 for n in others for m in (10, 20))


def test_of_many_patients_some_are_shown_from_first_to_last() -> None:
    shown = shown_slices([case(str(n), LIVER, {}) for n in range(16)])
    assert [c for c, _ in shown] == [0, 3, 6, 9, 12, 15]
    assert {n for _, n in shown} == {20}


def test_patients_without_any_liver_are_shown_too() -> None:
    assert len(shown_slices([case("a", {}, {}, 3)])) == 3
