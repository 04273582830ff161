"""`python -m tintype`: the command line."""

import sys

from tintype.cli import main

if __name__ == "__main__":
    sys.exit(main())
