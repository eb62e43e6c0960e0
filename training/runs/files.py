"""The files of a training in its folder: the one table of their names."""

from __future__ import annotations

CHECKPOINT = "checkpoint.pt"
RUN = "run.json"
"""What the training is and how it ended."""
RECIPE = "recipe.toml"
"""Its configuration."""
SPLIT = "split.json"
"""Who is trained on and who held out."""
LOCK = "training.lock"
CONTROL = "control"
"""The command to it (`training.runs.control`)."""
EVENTS = "events.jsonl"
LOG, TABLE, NOTES = "log.jsonl", "log.csv", "notes.txt"
"""Its epochs, as JSON lines and as a table, and what a person should know."""
STDERR = "stderr.txt"
"""What the process printed as an error, where the window started it."""
CURVE, CURVE_TABLE = "rates.json", "rates.csv"
"""The loss at each learning rate."""
HELD_OUT, REPORT = "held_out.json", "held_out.html"
"""The metrics of the held-out patients, and the report for people."""
WORST = "worst.npz"
"""Their worst slices."""
COMPARISON, DECISION = "comparison.json", "decision.json"
"""The model against another one, and whether it may take that one's place."""
MODEL, IMAGES = "model", "pictures"
"""Folders: the model, and the images of validation slices after each epoch."""

FILES = (
    CHECKPOINT,
    RECIPE,
    SPLIT,
    CONTROL,
    EVENTS,
    LOG,
    TABLE,
    NOTES,
    STDERR,
    CURVE,
    CURVE_TABLE,
    HELD_OUT,
    REPORT,
    WORST,
    COMPARISON,
    DECISION,
)
"""All that is deleted with a training, besides the folders, the lock and, last of all, RUN."""
