"""A sweep killed at fifty random moments: no member is lost or trained twice, and the table is the same."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

KILLS = 50
# one process that forks: a child goes on with the sweep, and is killed after a random time
CODE = """
import json, os, random, signal, sys, time
import torch
torch.set_num_threads(1)
import matplotlib.figure, sklearn.linear_model, pyarrow.parquet, scipy.special
from treino.tuning import bracket, sweep as sweeps
from treino.loop import loop
from treino.store import RunFolder
bracket.CHUNK_SECONDS, sweeps.CHECKPOINT_SECONDS, loop.CHECKPOINT_SHARE = 0.003, 0.0, 0.0
SPACE = ["lr=1e-4..1e-1:log", "hidden=8|16,8", "dropout=0..0.5", "batch_size=16|32"]
ASKED = dict(members=18, fresh=0, sampler="random", settings={"epochs": 25, "threads": 1})

def sweep(name, strategy):
    if os.path.exists(name + "/manifest.json") and os.path.exists(name + "/asked.json"):
        events = sweeps.sweep_resumption(name)
    else:
        import shutil
        shutil.rmtree(name, ignore_errors=True)
        events = sweeps.sweep_events("iris", SPACE, out=name, strategy=strategy, **ASKED)
    for event in events:
        pass

chance, kills, done = random.Random(int(sys.argv[2])), 0, 0
wanted = int(sys.argv[1])
for strategy in ("halving", "hyperband"):
    sweep("whole-" + strategy, strategy)
while kills < wanted:
    strategy, name = ("halving", "hyperband")[done % 2], f"torn-{done}"
    while not (os.path.exists(name) and RunFolder.open(name).status == "finished"):
        pid = os.fork()
        if not pid:
            try:
                sweep(name, strategy)
            except BaseException:
                import traceback
                traceback.print_exc()
                os._exit(3)
            os._exit(0)
        end = time.monotonic() + chance.uniform(0.05, 0.9) if kills < wanted else float("inf")
        while True:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                break
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                kills, status = kills + 1, 0
                break
            time.sleep(0.005)
        if os.waitstatus_to_exitcode(status) == 3:
            sys.exit(3)
    done += 1
print(json.dumps({"kills": kills, "sweeps": done}))
"""


@pytest.mark.slow
@pytest.mark.thorough
def test_fifty_kills_lose_nobody(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", CODE, str(KILLS), "0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert said.returncode == 0, said.stderr
    counted = json.loads(said.stdout.strip().splitlines()[-1])
    assert counted["kills"] >= KILLS
    for number in range(counted["sweeps"]):
        whole = tmp_path / ("whole-" + ("halving", "hyperband")[number % 2])
        torn = tmp_path / f"torn-{number}"
        tables = [pd.read_parquet(at / "members.parquet") for at in (whole, torn)]
        pd.testing.assert_frame_equal(*tables)
        documents = [json.loads((at / "result.json").read_text()) for at in (whole, torn)]
        assert documents[0]["leaderboard"] == documents[1]["leaderboard"]
        assert documents[0]["model_steps"] == documents[1]["model_steps"]
        assert documents[1]["judge"]["certificate"]["same_bits"]
