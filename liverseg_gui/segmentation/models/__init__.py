"""Models on disk: cards, weights, the store, its history."""
