"""``python -m treino`` is ``treino``."""

import sys

from treino.cli import main

sys.exit(main())
