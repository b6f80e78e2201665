"""Node, which runs the playground's modules in tests; where it is not, those tests are skipped."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import HANG

from treino_studio.page_words import page_words

PLAYGROUND = Path(__file__).parents[4] / "apps/studio/src/treino_studio/playground"
KERNEL = str(PLAYGROUND / "wasm/lanes.wasm")
NODE = shutil.which("node")
in_node = pytest.mark.skipif(NODE is None, reason="needs node, which runs the playground's modules")


Ask = Callable[..., Any]


def node(script: str, question: Any, *flags: str) -> Any:
    """What a script beside this file answers to a JSON document."""
    assert NODE is not None
    words = [NODE, *flags, str(Path(__file__).with_name(script))]
    done = subprocess.run(
        words, input=json.dumps(question), capture_output=True, text=True, check=False, timeout=HANG
    )
    assert not done.returncode, done.stderr[-3000:]
    return json.loads(done.stdout)


@contextmanager
def problems() -> Iterator[Ask]:
    """Ask the modules that read and prepare a table, in one process: see ``problems.mjs``."""
    if NODE is None:
        pytest.skip("needs node")
    line = [NODE, str(Path(__file__).with_name("problems.mjs"))]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as process:
        to_node, from_node = process.stdin, process.stdout
        assert to_node is not None
        assert from_node is not None

        def answer(**question: Any) -> Any:
            print(json.dumps(question), file=to_node, flush=True)
            return json.loads(from_node.readline())

        answer(words=page_words("en"))
        yield answer
