"""Labelled cases: layouts, checks, splits by patient, prepared slices."""
