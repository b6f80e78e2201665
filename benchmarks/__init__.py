"""Every figure in the docs comes from a script in here: ``python -m benchmarks`` lists them."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "doctor" / "tests"))  # the doctor's bed, and what runs it
