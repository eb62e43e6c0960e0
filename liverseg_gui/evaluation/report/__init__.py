"""The evaluation as HTML, tables, plots and text."""
