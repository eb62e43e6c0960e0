"""Name of this computer among those that share a folder."""

from __future__ import annotations

import hashlib
import os
import socket

HOST = hashlib.sha256(os.fsencode(socket.gethostname())).hexdigest()[:8]
"""Short, and fit for the name of a file."""
