"""Files that settings name: which settings can, and that a folder's lead to none but its own data."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import pytest

import treino as tr
from tests.conftest import refusal_of
from tests.data.test_photographs import of_classes, picture
from tests.forging import forge
from tests.outside import SECRET, names_of, secret_file, watched
from treino.base.errors import TreinoError
from treino.fit_events import FitRequest, fit_events
from treino.folders.own_code import OF_ENTRIES
from treino.settings.options import StudyOptions, SweepOptions
from treino.settings.setting_types import marks_of
from treino.settings.spec import OF_FILES, Settings, names_file, read_settings
from treino.training.search.space import files_in_space, read_space
from treino.training.sweeps.member import like

ROWS = "size,kind,part\n" + "".join(f"{n},{'ab'[n % 2]},train\n" for n in range(40))


# ---- the table of settings


def test_the_settings_that_name_files_say_so() -> None:
    assert OF_FILES.keys() == {"validation", "test", "labels", "net", "out", *OF_ENTRIES}
    assert {name for name, mark in OF_FILES.items() if "code" in mark.reach} == {"net", *OF_ENTRIES}
    marks = marks_of(SweepOptions) | marks_of(StudyOptions)
    assert {name for name, mark in marks.items() if mark is None or mark.reach} == {"storage", "cells"}


def test_a_value_names_a_file_or_not_as_it_is_read() -> None:
    none = {"validation": "0.2", "test": 0.1, "net": "cnn", "lr": "0.1", "target": "/etc/passwd"}
    assert read_settings(none).files == {}
    some = {"validation": "rows.csv", "labels": Path("a.csv"), "net": "a.py:Net", "out": "there"}
    assert read_settings(some).files == {name: str(value) for name, value in some.items()}
    for value in (["a.csv"], {"a.csv": 1}, 1, True):
        with pytest.raises(TreinoError):
            read_settings({"labels": value})
    space = read_space({"net": ["mlp", "a.py:Net"], "lr": "0.1..1"})
    assert list(files_in_space(space)) == [("net", "a.py:Net")]
    assert not names_file("net", None)
    assert not names_file("loss", "mse")
    assert names_file("loss", "a.py:focal")


UNMARKED = [name for name in Settings.model_fields if name not in OF_FILES]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """The working directory, with a table and photographs; and a file outside."""
    place, before = tmp_path_factory.mktemp("settings"), os.getcwd()
    file = secret_file(place)
    (place / "own/rows.csv").write_text(ROWS)
    of_classes(place / "own/photos", n=6)
    os.chdir(place / "own")
    yield place, file
    os.chdir(before)


def may_be_text(annotation: Any) -> bool:
    return annotation is str or any(map(may_be_text, get_args(annotation)))


@pytest.mark.release
@pytest.mark.parametrize("name", [n for n in UNMARKED if may_be_text(Settings.model_fields[n].annotation)])
def test_a_setting_without_the_mark_reads_no_file(sources: tuple[Path, Path], name: str) -> None:
    place, file = sources
    for source, more in (("rows.csv", {"target": "kind"}), ("photos", {})):
        for value in names_of(file)[:3]:
            for form in (value, [value]):
                with watched(file.parent) as opened, suppress(TreinoError):
                    settings = {"steps": 1, "baselines": "usual", **more, name: form}
                    events = fit_events(FitRequest(source, settings, None, parent=place / "runs"))[0]
                    try:
                        next(events)
                    finally:
                        events.close()
                assert opened == [], (source, value)


# ---- a folder from somebody else

Made = Callable[[], Path]


def trained(name: str, source: Any, **settings: Any) -> Path:
    return Path(tr.fit(source, name=name, epochs=1, net="mlp", hidden=[4], **settings).path)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a table, rows of its own to test on, and photographs with labels."""
    file = secret_file(tmp_path)
    own = file.parent.parent / "own"
    monkeypatch.chdir(own)
    for name in ("rows.csv", "held.csv"):
        Path(name).write_text(ROWS)
    for number in range(12):
        path = Path(f"photos/{number}.png")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture(number))
    labels = "file,kind\n" + "".join(f"{n}.png,{'ab'[n % 2]}\n" for n in range(12))
    Path("labels.csv").write_text(labels)
    Path("photos/inside.csv").write_text(labels)
    return own


def put(document: dict[str, Any], keys: str, value: Any) -> dict[str, Any]:
    *way, last = keys.split(".")
    inner = document
    for key in way:
        inner = inner.setdefault(key, {})
    inner[last] = value
    return document


FORGED = ["asked.labels", "data.load.labels", "data.files.labels.source", "asked.validation", "asked.test"]


@pytest.mark.release
@pytest.mark.parametrize("labels", ["labels.csv", "photos/inside.csv"])
def test_a_folder_leads_to_no_labels_but_its_own(here: Path, labels: str) -> None:
    run, file = trained("run", "photos", labels=labels), here.parent / "away/secret.csv"
    settings = like("run")[1]
    assert settings["labels"] == {"labels.csv": "labels.csv", "photos/inside.csv": "inside.csv"}[labels]
    spec = json.loads((run / "spec.json").read_text())
    for keys in FORGED:
        if keys.startswith("data.files") and "files" not in spec["data"]:
            continue
        for name in names_of(file):
            value = os.path.relpath(name, run) if keys.startswith("data.files") and name[0] in "/." else name
            forge(run, "spec.json", lambda _old, k=keys, v=value: put(json.loads(json.dumps(spec)), k, v))
            told = ""
            with watched(file.parent) as opened:
                try:
                    _source, settings, _networks = like("run")
                    assert SECRET not in str(tr.load("photos", labels=settings.get("labels")).classes)
                    assert not {"validation", "test"} & settings.keys()
                except TreinoError as error:
                    told = str(error)
            assert SECRET not in told
            digested = [path for path in opened if keys.startswith("data.files")]
            assert opened == digested, (keys, name)  # a file that a folder records is read for its SHA-256


@pytest.mark.release
def test_a_sweep_and_a_study_lead_to_no_rows_but_their_own(here: Path) -> None:
    file, few = here.parent / "away/secret.csv", {"members": 2, "fresh": 0, "epochs": 1, "hidden": [4]}
    sweep = Path(
        tr.sweep(
            "rows.csv", {"normalise": [True, False]}, target="kind", test="held.csv", name="s", **few
        ).path
    )
    spec = json.loads((sweep / "spec.json").read_text())
    assert like("s:1")[1]["test"] == "held.csv"
    for name in ("test", "validation", "labels"):
        for value in names_of(file):
            forge(
                sweep,
                "spec.json",
                lambda _old, n=name, v=value: put(json.loads(json.dumps(spec)), f"base.{n}", v),
            )
            for member in (0, 1):
                with watched(file.parent) as opened, suppress(TreinoError):
                    settings = like(f"s:{member}")[1]
                    assert value not in settings.values()
                assert opened == [], (name, value)


@pytest.mark.release
def test_files_beside_the_data_are_found_from_any_place(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings hold names as they were typed; from elsewhere, and after a move, the folder's own count."""
    trained("r", "rows.csv", target="kind", test="held.csv", validation="held.csv")
    trained("p", "photos", labels="labels.csv")
    whole = here.rename(here.with_name("moved"))
    monkeypatch.chdir(whole.parent)
    for name, files in (("r", {"test", "validation"}), ("p", {"labels"})):
        source, settings, networks = like(f"moved/runs/{name}")
        assert {each for each in OF_FILES if each in settings} - {"net"} == files
        again = fit_events(
            FitRequest(source, settings | {"name": name}, networks, parent=whole.parent / "again")
        )
        list(again[0])
        assert list(tr.open(whole.parent / "again" / name).losses) == list(
            tr.open(whole / "runs" / name).losses
        )


@pytest.mark.slow
def test_rows_that_were_changed_beside_the_data_are_refused(here: Path) -> None:
    """A pattern's files, too, of which no single digest is recorded."""
    Path("held-1.csv").write_text(ROWS)
    Path("held-2.csv").write_text(ROWS)
    for name, test in (("one", "held.csv"), ("many", "held-?.csv")):
        trained(name, "rows.csv", target="kind", test=test)
        assert tr.open(name).metrics["test"]
        Path(test.replace("?", "2")).write_text(ROWS.replace("1,b", "1,a"))
        assert refusal_of(like, name).rule == "data_changed", name
