"""Node, which runs the playground's modules in tests; where it is not, those tests are skipped."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import HANG

PLAYGROUND = Path(__file__).parents[4] / "apps/studio/src/treino_studio/playground"
KERNEL = str(PLAYGROUND / "wasm/lanes.wasm")
NODE = shutil.which("node")
in_node = pytest.mark.skipif(NODE is None, reason="needs node, which runs the playground's modules")


def node(script: str, question: Any, *flags: str) -> Any:
    """What a script beside this file answers to a JSON document."""
    assert NODE is not None
    words = [NODE, *flags, str(Path(__file__).with_name(script))]
    done = subprocess.run(
        words, input=json.dumps(question), capture_output=True, text=True, check=False, timeout=HANG
    )
    assert not done.returncode, done.stderr[-3000:]
    return json.loads(done.stdout)
