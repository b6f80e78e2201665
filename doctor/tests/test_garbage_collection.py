"""How often garbage is collected in processes of ours, and in a user's script that one of them runs."""

import subprocess
import sys

OURS = """
import gc
from treino_doctor.base.garbage_collection import *
usual, before = gc.get_threshold(), len(gc.callbacks)
counted = lambda: sum(of["collections"] for of in gc.get_stats())
collect_rarely()
collect_rarely()
done = counted()
kept = [[] for _ in range(400_000)]
assert counted() == done, "no collection while a command imports"
more = [[] for _ in range(200_000)]
sooner = counted()
assert sooner > done
assert gc.get_threshold() == RARE
again = [[] for _ in range(100_000)]
assert counted() >= sooner + 4
collect_as_usual()
assert (gc.get_threshold(), len(gc.callbacks)) == (usual, before), "a user's script finds what Python sets"
"""


def test_nothing_is_collected_while_a_command_imports_and_a_script_finds_it_as_usual() -> None:
    done = subprocess.run([sys.executable, "-c", OURS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
