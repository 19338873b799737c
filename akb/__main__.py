"""``python -m akb``."""

from akb.cli import main

if __name__ == "__main__":  # worker processes import it
    main()
