"""Scripts of many hands, rewound: what a branch prints and writes is what the first process did."""

import json
import sys
from pathlib import Path

import pytest

from apps.studio.tests.rewinding import view
from forked import plain

HANDS = sorted((Path(__file__).parent / "hands").glob("*.py"))
RUN = f"""
import os, sys
sys.path.append({str(Path(__file__).parents[3])!r})
os.chdir('work')
from apps.studio.tests.rewinding import main
main('train.py', 17)
"""


@pytest.mark.slow
@pytest.mark.sampled(3)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks like this")
@pytest.mark.parametrize("script", HANDS, ids=[path.stem for path in HANDS])
def test_a_rewound_script_that_changes_nothing_does_what_the_first_one_did(
    script: Path, tmp_path: Path
) -> None:
    """What it prints after the fork, what each file holds in the end; no file of the first one changes."""
    alone, work = tmp_path / "alone", tmp_path / "work"
    for folder in alone, work:
        folder.mkdir()
        (folder / "train.py").write_text(script.read_text())
    lone = plain(alone / "train.py")
    assert lone.status == 0, lone.err
    (tmp_path / "rewind.py").write_text(RUN)
    ended = plain(tmp_path / "rewind.py")
    assert ended.status == 0, ended.err
    said = json.loads(ended.out)

    out, err = ((tmp_path / name).read_text() for name in ("out", "err"))
    at_fork = out.encode()[: said["sizes"][0]].decode()
    assert out == lone.out + lone.out[len(at_fork) :]
    assert len(at_fork) < len(lone.out)
    errors = err.encode()[: said["sizes"][1]].decode()
    first = errors + err[len(errors) :][: (len(err) - len(errors)) // 2]
    assert err == first + first[len(errors) :]
    assert (said["exit"], said["branch_exit"]) == (0, 0)

    of_first, of_branch = view(str(work)), view(said["folder"])
    assert of_first == view(str(alone))
    changed = {name for name, content in of_first.items() if said["files"].get(name) != content}
    written = {name for name in of_branch if not name.startswith(".outside")}
    assert {name: of_branch[name] for name in changed} == {name: of_first[name] for name in changed}
    assert all(of_first.get(name) == of_branch[name] for name in written)
