"""The Qt application: start, uncaught exceptions, garbage collection, self-test of the window."""
