"""``python -m cczsim.cli``."""

import sys

from cczsim.cli import main

sys.exit(main())
