"""The surface of a label as a mesh: field, surface nets, picking."""
