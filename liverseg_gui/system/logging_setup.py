"""Log file, scrubbed of paths and patients before it is written."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path

from liverseg_gui.system.paths import log_folder
from liverseg_gui.system.plain_text import one_line, printable
from liverseg_gui.system.privacy import scrub

LOG_NAME = "liverseg.log"
_BYTES, _OLD_FILES = 1_000_000, 3
_INDENT = "\n  "
_LOG = logging.getLogger("liverseg")


class ScrubbingFormatter(logging.Formatter):
    """Scrubs the whole record, the traceback included.

    A record begins at the left edge and is one line, a traceback below it is indented: nothing that
    is logged looks like another record.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as it may be written."""
        return scrub(printable(super().format(record)).replace("\n", _INDENT))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The message with its time and level, as one line."""
        return one_line(super().formatMessage(record))


def start_logging(folder: Path | None = None) -> logging.Handler | None:
    """Write what the program and its libraries log to a rotating file in `folder`.

    Returns the handler, or None where the folder cannot be written: the program works without.
    """
    folder = folder or log_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            folder / LOG_NAME, maxBytes=_BYTES, backupCount=_OLD_FILES, encoding="utf-8"
        )
    except OSError as error:
        print(f"liverseg: no log is kept in {folder}: {error.strerror}", file=sys.stderr)
        return None
    handler.setFormatter(ScrubbingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.setLevel(logging.INFO)
    logging.getLogger().addHandler(handler)
    _LOG.setLevel(logging.INFO)
    logging.captureWarnings(True)
    return handler
