"""`python -m ngdaemon`."""

import sys

from ngdaemon.cli import main

if __name__ == "__main__":
    sys.exit(main())
