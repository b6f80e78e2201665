"""Naming, claiming, finding and listing folders, and the errors where that can't be done."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import refusal_of
from tests.folders.conftest import fill, rule
from treino.base import files, lock
from treino.base.errors import TreinoError
from treino.folders.store import RunFolder, find, list_runs, run_lookup

# ---- names


def test_names_are_counted_up_over_all_that_is_there(tmp_path: Path) -> None:
    names = []
    for stem in ("wine", "wine", "my data.v2", "wine", "../x", "ação", ""):
        with RunFolder.create(parent=tmp_path, stem=stem) as folder:
            names.append(folder.path.name)
        if names == ["wine-1"]:
            (tmp_path / "wine-7").mkdir()
    assert names == ["wine-1", "wine-8", "my-data.v2-1", "wine-9", "x-1", "ação-1", "run-1"]


BAD = ("", " ", "a/b", "..", ".hidden", "-x", "~", "last", "a\0b", "a\nb", "a\\b", " a", "é" * 51)


@pytest.mark.parametrize("name", BAD)
def test_bad_names_are_refused_before_anything_is_made(tmp_path: Path, name: str) -> None:
    caught = refusal_of(RunFolder.create, parent=tmp_path / "runs", name=name)
    assert (caught.rule, caught.status) == ("bad_name", 2)
    assert not (tmp_path / "runs").exists()


def test_a_name_is_given_once(tmp_path: Path) -> None:
    with RunFolder.create(parent=tmp_path, name="modelo é") as folder:
        assert folder.path == tmp_path / "modelo é"
        folder.write_json("spec.json", {})
        folder.checkpoint({}, {"step": 1})
    caught = refusal_of(RunFolder.create, parent=tmp_path, name="modelo é")
    assert (caught.rule, caught.status) == ("name_taken", 2)
    assert f"treino resume {tmp_path / 'modelo é'}" in caught.hint
    assert RunFolder.open(tmp_path / "modelo é").status == "interrupted"


def test_out_is_the_folder_itself_where_it_is_new_or_empty(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for out in (tmp_path / "a" / "b", empty):
        with RunFolder.create(out=out, kind="sweep") as folder:
            assert (folder.path, folder.kind, folder.status) == (out, "sweep", "running")
            folder.write_json("asked.json", {})
            folder.checkpoint({}, {"done": 0})
    for out in (empty, tmp_path):
        caught = refusal_of(RunFolder.create, out=out)
        assert (caught.rule, caught.status) == ("out_not_empty", 2)
    with pytest.raises(ValueError, match="kind"):
        RunFolder.create(out=tmp_path / "c", kind="kind")


def test_a_file_where_a_folder_should_be_says_so(tmp_path: Path, finished: RunFolder) -> None:
    file, link = tmp_path / "good.csv", tmp_path / "link"
    file.write_text("a,b")
    link.symlink_to(tmp_path / "gone")
    before = sorted(tmp_path.rglob("*"))
    places: list[tuple[Path, dict[str, Any]]] = [
        *((file, {"out": file / below}) for below in (".", "x", "x/y")),
        *((file, {"parent": file / below, "name": "a"}) for below in (".", "x")),
        (file, {"parent": file}),
        *((link, {"out": link / below}) for below in (".", "x")),
        (link, {"parent": link}),
    ]
    for culprit, words in places:
        with pytest.raises(TreinoError) as caught:
            RunFolder.create(**words)
        what = "a link to nothing" if culprit == link else "a file, not a folder"
        assert caught.value.message == f"{culprit} is {what}."
        assert f"or move {culprit} out of the way" in caught.value.hint
        assert rule(caught) == ("not_a_folder", 2)
    assert "not a folder" in str(refusal_of(files.make_folder, file))
    assert sorted(tmp_path.rglob("*")) == before
    assert file.read_text() == "a,b"


def test_a_folder_may_have_a_name_that_is_no_text(tmp_path: Path) -> None:
    out = tmp_path / os.fsdecode(b"o\xff %41?#") / os.fsdecode(b"\xe9")
    try:
        out.parent.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    with fill(RunFolder.create(out=out)) as folder:
        assert len(RunFolder.open(out).database.losses()) == 40
        folder.seal("finished")
    assert len(RunFolder.open(out).database.losses()) == 40
    assert find(out) == out
    assert [(each.path, each.status) for each in list_runs(out.parent)] == [(out, "finished")]


@pytest.mark.parametrize("ended", [False, True])
def test_of_two_that_are_given_the_same_out_one_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: bool
) -> None:
    out, acquire, others = tmp_path / "out", lock.acquire, []

    def late(path: Path) -> int:
        monkeypatch.undo()
        others.append(RunFolder.create(out=out))  # after we have made the folder, before we have its lock
        others[0].write_json("spec.json", {"mine": False})
        if ended:
            others[0].seal("finished")
        return acquire(path)

    monkeypatch.setattr(lock, "acquire", late)
    caught = refusal_of(RunFolder.create, out=out)
    assert (caught.rule, caught.status) == ("out_not_empty" if ended else "run_busy", 2)
    assert RunFolder.open(out).status == ("finished" if ended else "running")
    assert RunFolder.open(out).read_json("spec.json") == {"mine": False}
    others[0].close()


def test_of_two_that_get_the_same_name_one_counts_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    acquire, others = lock.acquire, []

    def late(path: Path) -> int:
        monkeypatch.undo()
        others.append(RunFolder.create(parent=tmp_path, name="wine-1"))
        return acquire(path)

    monkeypatch.setattr(lock, "acquire", late)
    with RunFolder.create(parent=tmp_path, stem="wine") as folder, others[0] as other:
        assert (folder.path.name, other.path.name) == ("wine-2", "wine-1")


# ---- finding and listing


def test_find_takes_names_paths_and_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished: RunFolder
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find("wine-1") == find("runs/wine-1") == find(Path("runs/wine-1")) == Path("runs/wine-1")
    assert find(finished.path) == finished.path
    with RunFolder.create(name="another"):
        pass
    assert find("last") == Path("runs/another")
    shutil.copytree("runs/wine-1", "wine-1")
    with pytest.raises(TreinoError, match=r"\./wine-1") as caught:
        find("wine-1")
    assert rule(caught) == ("run_ambiguous", 2)
    assert find("./wine-1") == Path("wine-1")
    shutil.move("wine-1", "moved")
    shutil.copytree("moved", "runs/wine-1/best")  # as a sweep keeps its winner
    assert find("wine-1/best") == Path("runs/wine-1/best")


def test_find_says_what_is_near_or_that_there_is_nothing(tmp_path: Path, finished: RunFolder) -> None:
    runs = finished.path.parent
    with pytest.raises(TreinoError, match="wine-1") as caught:
        find("wyne-1", runs)
    assert rule(caught) == ("run_missing", 2)
    assert "wine-1" in str(refusal_of(find, "", runs))
    with pytest.raises(TreinoError, match="is a file") as caught:
        find(finished.path / "spec.json", runs)
    assert rule(caught) == ("not_a_run", 2)
    for name in ("last", "wine-1"):
        with pytest.raises(TreinoError, match="treino train") as caught:
            find(name, tmp_path / "none")
        assert rule(caught) == ("no_runs", 2)

    for path, expected in ((tmp_path / "gone", "run_missing"), (tmp_path, "not_a_run")):
        caught = refusal_of(RunFolder.open, path)
        assert (caught.rule, caught.status) == (expected, 2)


def test_find_names_the_newest_where_nothing_is_near(tmp_path: Path) -> None:
    for _each in range(10):
        RunFolder.create(parent=tmp_path, stem="wine").close()
    caught = refusal_of(find, "quartz", tmp_path)
    newest = ", ".join(f"wine-{number}" for number in range(10, 2, -1))
    assert caught.hint == f"Known: {newest} … and 2 more."


def test_the_list_shows_damage_and_passes_over_the_rest(tmp_path: Path, finished: RunFolder) -> None:
    runs = finished.path.parent
    for name in ("flipped", "no-manifest", "no-model"):
        shutil.copytree(finished.path, runs / name)
    (runs / "flipped" / "manifest.json").write_bytes(b"\0")
    (runs / "no-manifest" / "manifest.json").unlink()
    (runs / "no-model" / "model.safetensors").unlink()
    (runs / "not-a-run").mkdir()
    (runs / "file").write_text("")
    newest = RunFolder.create(parent=runs, name="newest")
    found = {each.name: each for each in list_runs(runs)}
    assert {name: each.status for name, each in found.items()} == {
        "wine-1": "finished",
        "flipped": "damaged",
        "no-manifest": "damaged",
        "no-model": "damaged",
        "newest": "running",
    }
    assert "manifest.json" in str(found["flipped"].damage)
    assert "manifest.json" in str(found["no-manifest"].damage)
    assert found["no-model"].damage == "model.safetensors is missing"
    assert (found["wine-1"].path, found["wine-1"].spec is None) == (finished.path, False)
    assert found["wine-1"].result == {"loss": [1.0, None], "steps": 40}
    newest.close()
    assert list_runs(tmp_path / "none") == []


@pytest.mark.parametrize("seconds", [1e12, -1e12, 1e300, float("nan")])
def test_a_stamp_that_is_no_date_is_the_oldest(seconds: float) -> None:
    """A file system may hold any: what is damaged has no other time."""
    entry: Any = SimpleNamespace(stat=lambda: SimpleNamespace(st_mtime=seconds))
    assert run_lookup._changed(entry).startswith("1970-01-01T00:00:00")
