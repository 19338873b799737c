"""``python -m akb``."""

from akb.cli import main

main()
