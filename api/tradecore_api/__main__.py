"""`python -m tradecore_api` is the `tradecore` command."""

import sys

from tradecore_api.cli import main

sys.exit(main())
