"""Folders that are deleted or exchanged while they are watched, disks without room, and what a killed studio
leaves behind."""

import asyncio
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

import treino as tr
from apps.studio.tests.running import Bench, Serve, Watcher, with_studio
from treino_studio.serving import temporary_folder
from treino_studio.uploads import FOLDER, Uploads, home


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose steps take a while to be played again."""
    return tr.fit("wine", parent=tmp_path_factory.mktemp("wine"), epochs=300, patience=0).path


def content(folder: Path) -> dict[str, tuple[bytes, int]]:
    """All that lies in a folder, and when it was written."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def deleted(run: Path, apart: Path) -> None:
    while run.exists():  # who trains may write while it is deleted
        subprocess.run(["rm", "-r", str(run)], stderr=subprocess.DEVNULL)


def linked(run: Path, apart: Path) -> None:
    run.rename(apart / "moved")
    run.symlink_to(apart / "moved")


def replaced(run: Path, apart: Path) -> None:
    run.rename(apart / "moved")
    shutil.copytree(apart / "moved", run)


def status(seen: Watcher) -> Any:
    return (seen.newest("state") or {}).get("status")


ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("play", {}), ("stop", {}), ("set", {"name": "lr", "value": 0.5}), ("segment", {"changes": {"seed": 3}}),
    ("branch", {"changes": {}}), ("keep", {"name": "kept"}), ("look", {"step": 3}),
    ("fan", {"kind": "lr", "count": 2, "steps": 5}), ("explain", {"layer": 0, "unit": 0, "input": 0}),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("change", [deleted, linked, replaced])
def test_a_run_that_is_gone_is_said_once_and_its_page_is_closed(
    serve: Serve, runs: Path, wine: Path, tmp_path: Path, change: Callable[[Path, Path], None]
) -> None:
    name = f"wine-{change.__name__}"
    shutil.copytree(wine, runs / name)

    async def work(bench: Bench) -> None:
        async with bench.viewer(path=f"/socket/run/{name}") as viewer:
            await viewer.until(lambda seen: seen.frames and status(seen) == "finished")
            change(runs / name, tmp_path)
            await viewer.until(lambda seen: status(seen) == "deleted")
            before = content(runs), content(tmp_path)
            for verb, fields in ASKED:
                assert (await viewer.ask(verb, **fields))["error"]["rule"] == "page_closed", verb
            (notice,) = [text["notice"]["text"] for text in viewer.texts if "notice" in text]
            assert name in notice
            assert (content(runs), content(tmp_path)) == before
        if change is replaced:
            async with bench.viewer("viewer-2", path=f"/socket/run/{name}") as viewer:
                await viewer.until(lambda seen: seen.frames and status(seen) == "finished")

    serve(work)


async def shown(viewer: Watcher, frames: int) -> None:
    while len(viewer.frames) < frames or not status(viewer):
        await viewer.take()
        if viewer.frames:
            await viewer.acknowledge(viewer.frames[-1]["frame"])


def deleted_in_part(run: Path, apart: Path) -> None:
    """As a folder is while it is deleted."""
    (run / "run.sqlite").unlink()


@pytest.mark.slow
def test_a_training_that_is_deleted_is_said_once(serve: Serve, runs: Path, tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        for name, change in (("wine", deleted), ("part", deleted_in_part)):
            async with bench.viewer(f"viewer-{name}", path="/socket/home") as home:
                settings = {"epochs": "100000", "patience": "0", "name": name}
                assert (await home.ask("train", data="wine", settings=settings))["run"] == name
            async with bench.viewer(path=f"/socket/run/{name}") as viewer:
                await shown(viewer, 3)
                change(runs / name, tmp_path)
                await viewer.until(lambda seen: status(seen) == "deleted")
                assert (await viewer.ask("play"))["error"]["rule"] == "page_closed"
                # the trainer may fail on what is deleted first, and say so before the rest is deleted
                notices = [text["notice"]["text"] for text in viewer.texts if "notice" in text]
                assert [text for text in notices if text.startswith(f"The folder {name} is gone")] == notices[
                    -1:
                ]

    serve(work)


@pytest.mark.parametrize("what", ["a file", "a link", "a link to nothing"])
def test_a_table_is_refused_where_its_folder_is_none(tmp_path: Path, what: str, caplog: Any) -> None:
    elsewhere, uploads = tmp_path / "elsewhere", tmp_path / "runs" / FOLDER
    uploads.parent.mkdir()
    if what == "a file":
        uploads.write_text("mine")
    else:
        uploads.symlink_to(elsewhere)
    if what == "a link":
        elsewhere.mkdir()
        (elsewhere / "upload-1.csv").write_text("a,b\n1,2\n")

    async def work(bench: Bench) -> None:
        answered = await bench.get("/api/upload?name=a.csv", "POST", b"1,2\n", Origin=f"http://{bench.host}")
        assert answered.status == 400
        assert answered.rule == ("not_a_folder" if what == "a file" else "link_in_run")
        assert str(uploads) in answered.document["error"]["message"]
        document = json.loads(home(tmp_path / "runs", [], bench.serving.studio.uploads.names, {}, ""))
        assert document["data"] == []
        assert bench.serving.studio.uploads.path("upload-1.csv") is None

    with_studio(tmp_path, work)
    assert "Traceback" not in caplog.text
    assert [path.name for path in elsewhere.glob("*")] == (["upload-1.csv"] if what == "a link" else [])
    assert uploads.is_symlink() or uploads.read_text() == "mine"


def test_a_link_among_the_tables_is_none_of_them(tmp_path: Path) -> None:
    uploads = tmp_path / "runs" / FOLDER
    uploads.mkdir(parents=True)
    (tmp_path / "secret").write_text("a,b\n1,2\n")
    for number, where in enumerate((tmp_path / "secret", tmp_path / "nothing"), 1):
        (uploads / f"upload-{number}.csv").symlink_to(where)

    async def work(bench: Bench) -> None:
        found = bench.serving.studio.uploads
        assert found.names == []
        answered = await bench.get("/api/upload?name=a.pdf", "POST", b"1,2\n", Origin=f"http://{bench.host}")
        assert answered.rule == "upload_suffix"

        async def parts() -> Any:
            yield b"a,b\n"

        assert (await found.save("upload-1.csv", parts(), None)).name == "upload-1-2.csv"

    with_studio(tmp_path, work)


def test_a_table_for_which_there_is_no_room_leaves_nothing(tmp_path: Path, caplog: Any) -> None:
    """A limit on the size of files is what a full disk is to whoever writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def work(bench: Bench) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
        try:
            own = {"Origin": f"http://{bench.host}"}
            answered = await bench.get("/api/upload?name=a.csv", "POST", b"1,2\n" * 10_000, **own)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert (answered.status, answered.rule) == (400, "disk_full")
        assert not list((tmp_path / "runs" / FOLDER).iterdir())

    with_studio(tmp_path, work)
    assert "Traceback" not in caplog.text


def test_a_copy_that_can_t_be_made_whole_leaves_nothing(serve: Serve, runs: Path, wine: Path) -> None:
    linked = runs / "linked"
    shutil.copytree(wine, runs / "original")
    shutil.copytree(wine, linked)
    (linked / "pictures").mkdir(exist_ok=True)
    (linked / "pictures" / "secret").symlink_to("/etc")

    async def work(bench: Bench) -> None:
        worker = bench.serving.studio.relay._worker.process
        assert worker is not None
        async with bench.viewer(path="/socket/run/original") as viewer:
            await viewer.until(lambda seen: seen.frames)
            pid = worker._process.pid or 0
            before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
            assert (await viewer.ask("keep", name="kept"))["error"]["rule"] == "disk_full"
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
            assert not (runs / "kept").exists()
            assert (await viewer.ask("keep", name="kept"))["run"] == "kept"
        async with bench.viewer(path="/socket/run/linked") as viewer:
            await viewer.until(lambda seen: seen.frames)
            assert (await viewer.ask("keep", name="copy"))["error"]["rule"] == "link_in_run"
            assert not (runs / "copy").exists()

    serve(work)
    assert content(runs / "kept").keys() == content(runs / "original").keys()
    assert tr.open(runs / "kept").metrics == tr.open(runs / "original").metrics


SERVES = """
import asyncio, sys
from pathlib import Path
from treino_studio.serving import serving
async def main():
    with serving(Path("runs"), port=0) as found:
        print(next(Path(sys.argv[1]).glob("treino-studio-*/.lock")).parent.name, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.mark.slow
def test_what_a_killed_studio_leaves_the_next_one_clears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else: neither of one that lives, nor what a link leads to."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".lock").write_text("1\n")
    (tmp_path / "treino-studio-link").symlink_to(elsewhere)
    (tmp_path / "treino-studio-own").mkdir()
    (tmp_path / "treino-studio-file").write_text("mine")
    others = {path.name for path in tmp_path.iterdir()}
    line = [sys.executable, "-c", SERVES, str(tmp_path)]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=os.environ | {"TMPDIR": str(tmp_path)}
    ) as process:
        assert process.stdout is not None
        (left := tmp_path / process.stdout.readline().strip())
        (left / "worker.log").write_text("its last words")
        (left / "link").symlink_to(elsewhere)
        with temporary_folder() as living:
            assert left.is_dir()
            process.send_signal(signal.SIGKILL)
            process.wait()
            with temporary_folder() as folder:
                assert {path.name for path in tmp_path.iterdir()} == others | {living.name, folder.name}
    assert {path.name for path in tmp_path.iterdir()} == others
    assert (elsewhere / ".lock").read_text() == "1\n"


@pytest.mark.slow
def test_an_upload_is_there_once_it_is_whole(tmp_path: Path) -> None:
    """A studio that dies amid an upload leaves no cut table; two uploads at once have two names."""
    uploads, seen = Uploads(tmp_path), []

    async def parts(text: bytes) -> AsyncIterator[bytes]:
        for half in (text[:4], text[4:]):
            seen.append(uploads.names)
            yield half
            await asyncio.sleep(0)

    async def both() -> list[Path]:
        return await asyncio.gather(*(uploads.save("t.csv", parts(b"a,b\n1,%d\n" % n), None) for n in (2, 3)))

    one, two = asyncio.run(both())
    assert seen[:3] == [[], [], []]
    assert [one.read_bytes(), two.read_bytes()] == [b"a,b\n1,2\n", b"a,b\n1,3\n"]
    assert uploads.names == sorted([one.name, two.name])
