"""A branch of a forked script: its files are those of the fork, and nobody else's are changed by it."""

import ast
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.studio.tests.file_calls import CALLS, perform
from apps.studio.tests.rewinding import view
from forked import plain
from treino_studio.script.landlock import seal

FORK = """
import json, os, sys
from pathlib import Path
from treino_studio.script import branch_files

def forked(meanwhile, folder="train.branches/1"):
    "Fork; returns in the branch, once the first process has done this, and where it ends."
    branch_files.note_open_files()
    sys.stdout.flush()
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


def sealable() -> bool:
    """Whether the kernel lets a process of its own give up its right to write."""
    child = os.fork()
    if not child:
        os._exit(0 if seal("/tmp") else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def run(folder: Path, text: str, *args: str) -> str:
    """What a script prints that forks itself."""
    path = folder / "train.py"
    path.write_text(f"{FORK}{text}\nsys.stdout.flush()\nos._exit(0)\n")
    ended = plain(path, *args)
    assert ended.status == 0, ended.err + ended.out
    return ended.out


HERE = f"sys.path.append({str(Path(__file__).parents[3])!r})"
SEQUENCES = """
from apps.studio.tests.file_calls import perform
from apps.studio.tests.rewinding import view
for number, (before, first, branch) in enumerate(json.loads(sys.argv[1])):
    if os.fork():  # each in a process of its own
        assert not os.wait()[1]
        continue
    os.chdir(f"work-{number}")
    for each in before:
        perform(*each)
    def meanwhile():
        for each in first:
            perform(*each)
        Path(f"../first-{number}").write_text(json.dumps(view()))
    if forked(meanwhile, folder=f"../train.branches/{number}"):
        seen = [perform(*each) for each in branch]
        print(json.dumps([seen, view()]))
    else:
        assert view() == json.loads(Path(f"../first-{number}").read_text())
    sys.stdout.flush()
    os._exit(0)
"""
names = st.sampled_from(["a", "b", "folder/a", "folder/b"])
calls = st.tuples(st.sampled_from(sorted(CALLS)), names, names, st.sampled_from(["x\n", "longer\n"]))
SEQUENCE = st.tuples(
    st.lists(calls, max_size=8), st.lists(calls, max_size=6), st.lists(calls, min_size=1, max_size=8)
)  # of the script before its fork, of the first process meanwhile, of the branch


def lone(folder: Path, *calls: Any) -> Any:
    """What a process sees and leaves that does these things alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        seen = [perform(*each) for each in calls]
        return json.loads(json.dumps([seen, view()]))


SEQUENCES_AT_ONCE = st.lists(SEQUENCE, min_size=5, max_size=8)


@pytest.mark.slow
@settings(max_examples=2, deadline=None)
@given(SEQUENCES_AT_ONCE)
def test_a_branch_does_what_a_lone_process_does_whatever_the_first_one_did_meanwhile(
    tmp_path_factory: pytest.TempPathFactory, sequences: list[Any]
) -> None:
    compare_with_lone(tmp_path_factory.mktemp("calls"), sequences)


@pytest.mark.release
@settings(max_examples=20, deadline=None)
@given(SEQUENCES_AT_ONCE)
def test_also_in_many_cases(tmp_path_factory: pytest.TempPathFactory, sequences: list[Any]) -> None:
    compare_with_lone(tmp_path_factory.mktemp("calls"), sequences)


def compare_with_lone(folder: Path, sequences: list[Any]) -> None:
    """What it sees at each call and what it leaves; the first process's files stay as that one left them."""
    for number, _sequence in enumerate(sequences):
        for each in "lone", "work":
            (folder / f"{each}-{number}").mkdir()
    said = run(folder, HERE + SEQUENCES, json.dumps(sequences)).splitlines()
    for number, (line, (before, _first, branch)) in enumerate(zip(said, sequences, strict=True)):
        seen, left = json.loads(line)
        of_lone, left_by_lone = lone(folder / f"lone-{number}", *before, *branch)
        assert seen == of_lone[len(before) :]
        assert left == left_by_lone
    shutil.rmtree(folder)


OPEN = """
appended, written, read_on = open("appended", "a"), open("written", "w"), open("rows")
rewritten, deleted = open("rewritten", "w+"), open("deleted", "w+")
large, number = open("large", "r+b"), os.open("number", os.O_RDWR | os.O_CREAT)
os.unlink("deleted")
def go_on(who):
    appended.write(who); written.write(who); deleted.write(who)
    rewritten.seek(0); json.dump([who] * 2, rewritten); rewritten.truncate()
    large.seek(0, 2); large.write(who.encode())
    os.write(number, who.encode())
    rows = [next(read_on) for _ in range(2)]
    for each in appended, written, rewritten, large: each.flush()
    deleted.seek(0)
    return rows, deleted.read(), os.pread(number, 100, 0).decode()
go_on("begin")
appended.write(" held back"); written.write(" held back")
def meanwhile():
    print(go_on("the first process")); sys.stdout.flush()
    print({name: Path(name).read_text()[-40:] for name in sorted(os.listdir())})
    sys.stdout.flush()
branch = forked(meanwhile)
if branch:
    print(go_on("branch"))
print({name: Path(name).read_text()[-40:] for name in sorted(os.listdir()) if "branches" not in name})
"""


def test_files_that_are_open_at_the_fork_go_on_from_there_in_each_process(tmp_path: Path) -> None:
    """Their places in the file, what Python holds back, one without a name, a large one that grows."""
    (tmp_path / "rows").write_text("".join(f"row {n}\n" for n in range(9)))
    (tmp_path / "large").write_text(".\n" * 200_000)
    of_first, files, of_branch, files_of_branch, files_in_the_end = run(tmp_path, OPEN).splitlines()
    expected = "(['row 2\\n', 'row 3\\n'], 'begin{who}', 'begin{who}')"
    assert of_first == expected.format(who="the first process")
    assert of_branch == expected.format(who="branch")
    assert files_in_the_end == files
    left = {
        "appended": "begin held back{who}",
        "large": (".\n" * 200_000 + "begin{who}")[-36:],
        "number": "begin{who}",
        "rewritten": '["{who}", "{who}"]',
        "written": "begin held back{who}",
    }
    for who, text in ("the first process", files), ("branch", files_of_branch):
        seen = ast.literal_eval(text)
        for name, content in left.items():
            assert seen[name].endswith(content.format(who=who)[-40:]), name


REFUSED = """
import io, sqlite3, subprocess, numpy, torch
Path("kept.db").write_text("")
own_open = io.FileIO
def attempt(function, *args):
    try:
        return print("done", function(*args))
    except (OSError, RuntimeError) as error:
        print(type(error).__name__, str(error).splitlines()[0][:60])
if forked(lambda: None):
    attempt(sqlite3.connect, "kept.db")
    attempt(lambda: sqlite3.connect(":memory:").close())
    attempt(own_open, "file", "w")
    attempt(torch.jit.save, torch.jit.script(torch.nn.Linear(1, 1)), "net.pt")
    attempt(subprocess.call, "echo x > shell 2>&-", )
    attempt(lambda: subprocess.call("echo x > shell 2>/dev/null", shell=True, stderr=subprocess.DEVNULL))
else:
    print(sorted(os.listdir("train.branches/1")), sorted(os.listdir()))
"""


@pytest.mark.skipif(not sealable(), reason="this kernel has no Landlock")
def test_what_can_not_be_led_to_the_branch_is_refused(tmp_path: Path) -> None:
    """Databases, compiled libraries, other programs: nothing is written, and Python's own ways say why."""
    database, memory, own, library, missing, shell, left = run(tmp_path, REFUSED).splitlines()
    assert database.startswith("PermissionError [Errno 1] SQLite writes by itself")
    assert memory == "done None"
    assert own.startswith("PermissionError [Errno 1] a branch of a script writes into its own")
    assert library.startswith("RuntimeError")
    assert missing.startswith("FileNotFoundError")
    assert shell == "done 2"
    assert left == "[] ['kept.db', 'train.branches', 'train.py']"


NESTED = """
Path("a").write_text("begin")
if forked(lambda: Path("a").write_text("first")):
    Path("b").write_text("branch 1")
    if forked(lambda: [Path(name).write_text("branch 1 on") for name in "ab"], "train.branches/2"):
        print(Path("a").read_text(), Path("b").read_text())
        Path("b").write_text("branch 2")
    print(Path("a").read_text(), Path("b").read_text(), sorted(os.listdir()))
else:
    print(Path("a").read_text(), Path("b").exists(), sorted(os.listdir("train.branches")))
"""


def test_a_branch_has_branches(tmp_path: Path) -> None:
    """The second reads what the first branch had at its fork, and writes into a folder beside it."""
    assert run(tmp_path, NESTED).splitlines() == [
        "begin branch 1",
        "begin branch 2 ['a', 'b', 'train.branches', 'train.py']",
        "branch 1 on branch 1 on ['a', 'b', 'train.branches', 'train.py']",
        "first False ['1', '2']",
    ]


LOST = """
from treino_studio.script import kept_files
kept_files.LARGEST = 1000
for name in "abc":
    Path(name).write_text(name * 600)
unseen = "import pathlib; pathlib.Path('c').write_text('other')"
def meanwhile():
    for name in "ab":
        Path(name).write_text("over")
    import subprocess
    subprocess.run([sys.executable, "-c", unseen], check=True)
if forked(meanwhile):
    for name in "abc":
        try:
            print(len(Path(name).read_text()))
        except PermissionError as error:
            print(str(error)[:70])
        Path(name).write_text("anew")
    print([Path(name).read_text() for name in "abc"])
"""


def test_what_is_not_kept_is_refused_and_not_something_else(tmp_path: Path) -> None:
    """The limit of what is kept; a file that another program writes over."""
    kept, too_much, by_another, written = run(tmp_path, LOST).splitlines()
    assert kept == "600"
    assert too_much == by_another == "[Errno 1] what was in it at this branch's fork has been written over s"
    assert written == "['anew', 'anew', 'anew']"


def test_a_script_without_forks_has_the_functions_of_python(tmp_path: Path) -> None:
    """Also after one, in the first process: only a branch's functions are others."""
    text = "import builtins, io, posix\n"
    check = "print(open is io.open, os.open is posix.open, os.stat is posix.stat)\n"
    seen = run(tmp_path, text + check + "forked(lambda: None)\n" + check).splitlines()
    assert seen == [
        "True True True",
        "True False False",
        "True True True",
    ]


@pytest.mark.parametrize("make", ["os.mkfifo({})", "os.mknod({}, 0o600 | stat.S_IFIFO)"])
def test_a_pipe_is_made_by_the_branch_whatever_the_first_process_made(make: str, tmp_path: Path) -> None:
    said = run(
        tmp_path,
        f"""
import stat
os.mkdir("there")
def made(name):
    {make.format("name")}
    return stat.S_ISFIFO(os.stat(name).st_mode)
made("before")
if forked(lambda: made("there/pipe")):
    assert os.listdir("there") == []
    for name in ("there/pipe", "there/pipe", "before", "nowhere/pipe"):
        try:
            print(made(name))
        except OSError as error:
            print(type(error).__name__)
    reading = os.open("there/pipe", os.O_RDONLY | os.O_NONBLOCK)
    os.write(os.open("there/pipe", os.O_WRONLY), b"sent")
    print(os.read(reading, 9))
else:
    assert sorted(os.listdir("train.branches/1/there")) == ["pipe"]
""",
    )
    assert said.split() == ["True", "FileExistsError", "FileExistsError", "FileNotFoundError", "b'sent'"]
