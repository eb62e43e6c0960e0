"""The log file: what went wrong, scrubbed of paths and patients before it is written."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from liverseg_gui.core.places import log_folder
from liverseg_gui.core.privacy import scrub

LOG_NAME = "liverseg.log"
_BYTES, _OLD_FILES = 1_000_000, 3
_LOG = logging.getLogger("liverseg")


class ScrubbingFormatter(logging.Formatter):
    """Scrubs the whole line, the traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        """The line as it may be written."""
        return scrub(super().format(record))


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


def catch_unexpected(tell: Callable[[str, str], None]) -> None:
    """Log exceptions that nobody caught, in any thread, and `tell` those of the window's."""

    def caught(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        _LOG.critical("Unexpected", exc_info=(kind, error, trace))
        details = logging.Formatter().formatException((kind, error, trace))
        tell(f"Something unexpected happened ({kind.__name__}: {error}).", details)

    def caught_in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            trace = (args.exc_type, args.exc_value, args.exc_traceback)
            _LOG.critical("Unexpected in a thread", exc_info=trace)

    sys.excepthook = caught
    threading.excepthook = caught_in_thread
