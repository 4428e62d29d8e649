"""``python -m cczsim``: the command ``cczsim``."""

import sys

from cczsim.cli import main

sys.exit(main())
