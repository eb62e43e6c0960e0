"""Errors say what is wrong and what to do apart, and go whole from process to process."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from liverseg_gui.core.errors import AmbiguousInputError, LiverSegError, SaveError
from liverseg_gui.io.masks.label_values import FileLabel, UnknownLabelsError
from training.data.case import ForeignLabelsError


def test_the_text_is_what_is_wrong_and_what_to_do() -> None:
    error = LiverSegError("/data/Dr. Roe is damaged.", "Copy it again.")
    assert str(error) == "/data/Dr. Roe is damaged. Copy it again."
    assert (error.message, error.remedy) == ("/data/Dr. Roe is damaged.", "Copy it again.")


def test_one_text_has_no_remedy_of_its_own() -> None:
    error = LiverSegError("It is damaged. Copy it again.")
    assert str(error) == error.message == "It is damaged. Copy it again."
    assert (error.remedy, error.action) == ("", "")


@pytest.mark.parametrize("kind", [AmbiguousInputError, ForeignLabelsError, SaveError])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_another_process_gets_all_of_it(kind: type[LiverSegError], protocol: int) -> None:
    error = kind("No room.", "Make some.", action="make-room")
    again = pickle.loads(pickle.dumps(error, protocol))
    assert (type(again), str(again)) == (kind, "No room. Make some.")
    assert (again.message, again.remedy, again.action) == ("No room.", "Make some.", "make-room")


def test_what_an_error_holds_besides_goes_along() -> None:
    error = UnknownLabelsError(Path("mask.nii"), (FileLabel(5, "liver", 9),))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is UnknownLabelsError
    assert (again.path, again.labels, again.proposal) == (error.path, error.labels, error.proposal)
    assert (str(again), again.message) == (str(error), error.message)
