"""Controllers: opening, saving, segmenting, masks, annotations."""
