"""A branch of a forked script: its files are those of the fork, and nobody else's are changed by it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.diagnosis.forked import plain
from tests.studio.file_calls import CALLS, perform, view

FORK = """
import json, os, sys
from pathlib import Path
from treino.studio.script import branch_files

def forked(meanwhile, folder="train.branches/1"):
    "Fork; returns in the branch, once the first process has done this, and where it ends."
    branch_files.note_open_files()
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(reading)
        meanwhile()
        os.close(writing)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status:
            os._exit(status)
        return False
    os.close(writing)
    os.read(reading, 1)
    for sentence in branch_files.enter_branch(folder):
        print("said:", sentence)
    return True
"""


def run(folder: Path, text: str, *args: str) -> str:
    """What a script prints that forks itself."""
    path = folder / "train.py"
    path.write_text(FORK + text)
    ended = plain(path, *args)
    assert ended.status == 0, ended.err + ended.out
    return ended.out


SEQUENCES = """
from tests.studio.file_calls import perform, view
before, first, branch = json.loads(sys.argv[1])
os.chdir("work")
for each in before:
    perform(*each)
seen = {}
def meanwhile():
    for each in first:
        perform(*each)
    Path("../first").write_text(json.dumps(view()))
if forked(meanwhile, folder="../train.branches/1"):
    seen = [perform(*each) for each in branch]
    print(json.dumps([seen, view()]))
else:
    assert view() == json.loads(Path("../first").read_text())
"""
names = st.sampled_from(["a", "b", "folder/a", "folder/b"])
calls = st.tuples(st.sampled_from(sorted(CALLS)), names, names, st.sampled_from(["x\n", "longer\n"]))


def lone(folder: Path, *calls: Any) -> Any:
    """What a process sees and leaves that does these things alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        seen = [perform(*each) for each in calls]
        return json.loads(json.dumps([seen, view()]))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(calls, max_size=8), st.lists(calls, max_size=6), st.lists(calls, min_size=1, max_size=8))
def test_a_branch_does_what_a_lone_process_does_whatever_the_first_one_did_meanwhile(
    tmp_path_factory: pytest.TempPathFactory, before: list[Any], first: list[Any], branch: list[Any]
) -> None:
    """What it sees at each call and what it leaves; the first process's files stay as that one left them."""
    folder = tmp_path_factory.mktemp("calls")
    for each in "lone", "work":
        (folder / each).mkdir()
    seen, left = json.loads(run(folder, SEQUENCES, json.dumps([before, first, branch])))
    of_lone, left_by_lone = lone(folder / "lone", *before, *branch)
    assert seen == of_lone[len(before) :]
    assert left == left_by_lone
    shutil.rmtree(folder)
