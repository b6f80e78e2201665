"""The process that runs a pupil's file: ``python -m treino_lessons.tasks KIND NAME FILE SECONDS ANSWER``."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from treino_lessons.tasks import KINDS


def main(words: Sequence[str]) -> int:
    """Run the file as its kind of task asks, and write what was observed; return the exit status."""
    import torch

    kind, name, path, seconds, answer = words
    torch.set_num_threads(1)

    def write(seen: dict[str, Any]) -> None:
        Path(answer).write_text(json.dumps(seen), encoding="utf-8")

    return KINDS[kind].named(name).observe(path, float(seconds), write)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
