"""What a checkpoint of a script costs: how long the script waits for the fork, and what its copy holds.

The script holds 100 MB of its own beside what Python and torch take, and changes 5 MB of it at each step:
2.5 MB of weights, and their gradients. Checkpoints are marked one after another, some steps apart. The memory
is Linux's own account of it: what a copy shares with no other process.
"""

import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.result import Result, Table
from benchmarks.timing import budget
from treino.studio.script.branches import memory_of
from treino.studio.script.process import ScriptProcess

MOST_MS, MOST_SHARE = 10.0, 0.05
COPIES, QUICK_COPIES = 20, 3
APART = 5  # steps between two checkpoints
SCRIPT = """
import torch

torch.set_num_threads(1)
rest = torch.ones(95 * 1_000_000 // 4)
weight = torch.nn.Parameter(torch.ones(2_500_000 // 4))
optimizer = torch.optim.SGD([weight], lr=1e-3)
while True:
    optimizer.zero_grad(set_to_none=False)
    weight.square().mean().backward()
    optimizer.step()
"""


def measured(script: Path, copies: int) -> tuple[list[float], list[int], int]:
    """-> (ms of each fork, bytes of each copy, bytes of the script)."""
    process = ScriptProcess.start(script)
    process.send({"do": "step", "count": APART})
    checkpoints: list[dict[str, Any]] = []
    for message in process.messages():
        if "checkpoints" in message:
            checkpoints = message["checkpoints"]["list"]
        if message.get("paused"):
            if len(checkpoints) == copies:
                break
            process.send({"do": "checkpoint"})
            process.send({"do": "step", "count": APART})
    held = [memory_of(copy.process.pid)["Private_Dirty"] for copy in process.copies]
    whole = memory_of(process.pid)["Anonymous"]
    process.close()
    return [each["ms"] for each in checkpoints], held, whole


def run(quick: bool) -> Result:
    with tempfile.TemporaryDirectory() as place:
        script = Path(place) / "train.py"
        script.write_text(SCRIPT)
        before = os.getcwd()
        os.chdir(place)
        try:
            ms, held, whole = measured(script, QUICK_COPIES if quick else COPIES)
        finally:
            os.chdir(before)
    wait, share = statistics.median(ms), statistics.median(held) / whole
    rows = (
        ("the script waits", f"{wait:.1f} ms", f"{max(ms):.1f} ms", *budget(wait, MOST_MS, at_most=True)),
        (
            "a copy holds, of the script's memory",
            f"{100 * share:.1f} %",
            f"{100 * max(held) / whole:.1f} %",
            *(cell.replace("0.05", "5 %") for cell in budget(share, MOST_SHARE, at_most=True)),
        ),
    )
    return Result(
        (Table("Checkpoints of a script", ("of a checkpoint", "median", "most", "budget", "kept"), rows),),
        f"{len(ms)} checkpoints, {APART} steps apart, of a script with {whole / 1e6:.0f} MB: 100 MB "
        "of its own, of which each step changes 5 MB, beside Python and torch. What a copy holds: the memory "
        "that it shares with no other process, when all checkpoints are made.",
        ("Tables of pages, which Linux keeps for each process: about 2 KB a megabyte.",),
        figures={"fork": f"{wait:.1f} ms", "memory": f"{100 * share:.1f} %"},
    )
