"""Programs for contributors; no part of treino."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "doctor" / "tests"))  # the doctor's bed, and what runs it
