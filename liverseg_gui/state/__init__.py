"""State of the open scan and its view, settings and history: observable, free of Qt."""
