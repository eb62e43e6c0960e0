"""`python -m liverseg_gui`: the same as the `liverseg` command."""

from liverseg_gui.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
