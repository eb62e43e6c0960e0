"""What is said of a choice wherever it can be made."""

QUALITY_TIP = (
    "Best takes four times as long as Fast, and measured no better on held-out patients with the "
    "default model"
)
