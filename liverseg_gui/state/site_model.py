"""The model that is used by all users of the computer who chose none themselves."""

from __future__ import annotations

import json

from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.system.atomic_write import write_text
from liverseg_gui.system.paths import DEFAULT_MODEL, site_folder
from liverseg_gui.system.permissions import make_shared_folder, share

FILE = "settings.json"


class SiteModel:
    """Remembered in the site's folder, which an administrator alone can write."""

    @property
    def model(self) -> str:
        """The chosen model; the program's own where there is no choice that can be read."""
        try:
            stored = parse_json((site_folder() / FILE).read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return DEFAULT_MODEL
        model = stored.get("model") if isinstance(stored, dict) else None
        return model if isinstance(model, str) and model else DEFAULT_MODEL

    def choose_model(self, name: str) -> None:
        """Use the model `name` where a user chose none; "" is the program's own.

        Raises:
            SaveError: it cannot be written.
        """
        path = site_folder() / FILE
        try:
            make_shared_folder(path.parent)
            write_text(path, json.dumps({"model": name}) + "\n")
            share(path)
        except (OSError, SaveError) as error:
            reason = error if isinstance(error, OSError) else error.__cause__
            raise SaveError(
                f"{path} could not be written ({getattr(reason, 'strerror', None) or reason}). "
                "What all users use is changed by an administrator."
            ) from error
