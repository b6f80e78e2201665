"""Folders and archives of pictures: where classes, labels, splits and groups come from, and what is said."""

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import treino as tr
from tests.conftest import Treino, refusal_of
from tests.waiting import HANG
from treino.base.errors import TreinoError
from treino.data import Data, load
from treino.folders.data_source import data_of

SIDE = 6


def picture(seed: int) -> bytes:
    """A PNG that is unlike that of any other seed."""
    stream = io.BytesIO()
    pixel = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    Image.fromarray(pixel).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def write(folder: Path, names: Iterable[str]) -> Path:
    for seed, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(seed))
    return folder


def of_classes(folder: Path, *classes: str, n: int = 8) -> Path:
    return write(folder, [f"{name}/{i}.png" for name in classes or ("cat", "dog") for i in range(n)])


def refusal(source: Path, **options: object) -> TreinoError:
    refused = refusal_of(load, source, **options)
    assert "\n" not in refused.message
    return refused


def said(data: Data, *words: str) -> bool:
    """Whether one note has all these words."""
    return any(all(word in note for word in words) for note in data.notes)


def labels(data: Data) -> dict[str, object]:
    """The class or number of each file."""
    found: dict[str, object] = {}
    for rows in data.splits.values():
        for y, row in zip(rows.y, rows.index.tolist(), strict=True):
            found[data.file_names[row]] = (
                data.classes[int(y)] if data.classes else float(y) * data.target_scale + data.target_mean
            )
    return found


def parts(data: Data) -> dict[str, str]:
    """The part of the split of each file."""
    return {data.file_names[row]: part for part, rows in data.splits.items() for row in rows.index.tolist()}


def same(ours: Data, theirs: Data) -> None:
    assert ours.sha256 == theirs.sha256
    assert ours.file_names == theirs.file_names
    for part, rows in theirs.splits.items():
        assert ours.splits[part].x[:].equal(rows.x[:])
        assert ours.splits[part].y.equal(rows.y)
        assert ours.splits[part].index.equal(rows.index)


# ---- folders


def test_classes_are_folders_also_inside_folders_that_all_share(tmp_path: Path) -> None:
    data = load(of_classes(tmp_path / "p"))
    assert labels(data) == {f"{name}/{i}.png": name for name in ("cat", "dog") for i in range(8)}
    inner = load(of_classes(tmp_path / "q" / "all" / "of them").parent.parent)
    assert inner.classes == ("cat", "dog")
    assert said(inner, "all/of them")
    deep = load(write(tmp_path / "d", [f"{c}/{i % 2}/{i}.png" for c in "ab" for i in range(6)]))
    assert deep.classes == ("a", "b")
    assert said(deep, "a/0/0.png")


def test_numbers_are_classes_and_no_parts_of_a_split(tmp_path: Path) -> None:
    assert load(of_classes(tmp_path, "0", "1")).classes == ("0", "1")


@pytest.mark.parametrize(
    "words", [("train", "val", "test"), ("Treino", "validação", "Teste"), ("training", "dev", "holdout")]
)
@pytest.mark.parametrize("outside", [True, False])
def test_folders_name_the_parts_of_a_split(tmp_path: Path, words: tuple[str, ...], outside: bool) -> None:
    form = "{part}/{name}/{i}.png" if outside else "{name}/{part}/{i}.png"
    names = [form.format(part=p, name=c, i=i) for p in words for c in ("cat", "dog") for i in range(3)]
    data = load(write(tmp_path / "p", names))
    assert data.classes == ("cat", "dog")
    assert data.official_test
    usual = dict(zip(words, ("train", "validation", "test"), strict=True))
    assert parts(data) == {name: usual[name.split("/")[0 if outside else 1]] for name in names}


def test_what_a_given_split_leaves_open_is_drawn(tmp_path: Path) -> None:
    names = [f"train/{c}/{i}.png" for c in "abc" for i in range(8)] + [f"test/{c}/0.png" for c in "ab"]
    data = load(write(tmp_path / "p", names))
    assert {name for name, part in parts(data).items() if part == "test"} == set(names[-2:])
    assert len(data.validation) > 0
    drawn = load(tmp_path / "p", fold="1/2")
    assert said(drawn, "'split'", "isn't used")
    write(tmp_path / "p", [*names, "other/a/1.png"])
    error = refusal(tmp_path / "p")
    assert (error.rule, "'other'" in error.message) == ("pictures_split_mixed", True)


# ---- names


@pytest.mark.parametrize(
    "form",
    [
        "{c}.{i}.png", "{c}_{i:04}.png", "{c}-{i}.PNG", "{c} ({i}).png", "{c}{i}.png", "{i:03}_{c}.png",
        "x/{c}.{i}.png",
    ],
)  # fmt: skip
def test_a_class_in_a_name_is_noticed_and_said(tmp_path: Path, form: str) -> None:
    names = [form.format(c=c, i=i) for c in ("cat", "big dog") for i in range(6)]
    data = load(write(tmp_path / "p", names))
    assert labels(data) == {name: "cat" if "cat" in name else "big dog" for name in names}
    first = data.file_names[0]
    assert said(data, f"such as {'cat' if 'cat' in first else 'big dog'} in {first}", "class_pattern='")


def test_a_pattern_of_ones_own_says_the_class(tmp_path: Path) -> None:
    folder = write(tmp_path / "p", [f"{c}/x{i}-{'ab'[i % 2]}.png" for c in ("one", "two") for i in range(6)])
    pattern = r"-(\w)\.png"
    data = load(folder, class_pattern=pattern)
    assert set(labels(data).items()) == {(n, n[-5]) for n in data.file_names}
    assert data.arguments.class_pattern == pattern
    write(folder, ["one/none.png"])
    data = load(folder, class_pattern=pattern)
    assert said(data, "one/none.png")
    assert "one/none.png" not in labels(data)
    assert refusal(folder, class_pattern=r"-\w\.png").rule == "class_pattern_form"
    assert refusal(folder, class_pattern="(").rule == "class_pattern_form"
    error = refusal(folder, class_pattern="(z+)")
    assert (error.rule, "one/none.png" in error.message) == ("class_pattern_nowhere", True)


@pytest.mark.parametrize(
    ("names", "rule"),
    [
        (["1.png", "2.png", "3.png"], "pictures_without_class"),
        (["IMG_1.png", "IMG_2.png", "IMG_3.png"], "pictures_without_class"),
        (["cat/1.png", "dog/1.png", "loose.png"], "pictures_without_class"),
        (["cat/one.png", "cat/two.png"], "pictures_one_class"),
        (["cat/1.png"], "pictures_one_class"),
        (["cat/1.png", "dog/1.png"], "classes_all_distinct"),
    ],
)
def test_pictures_that_nothing_tells_apart_are_refused(tmp_path: Path, names: list[str], rule: str) -> None:
    assert refusal(write(tmp_path / "p", names)).rule == rule


# ---- tables of labels


def table(path: Path, head: str, rows: Iterable[object]) -> Path:
    path.write_text("\n".join([head, *map(str, rows)]) + "\n")
    return path


def of_table(folder: Path, n: int = 12) -> Path:
    """A flat folder with a table of ids, numbers, patients and years."""
    write(folder, [f"{i:04}.png" for i in range(n)])
    table(
        folder / "t.csv", "id,age,who,year", (f"{i:04},{i * 1.5},p{i // 2},{2000 + i // 3}" for i in range(n))
    )
    return folder  # fmt: skip


def test_numbers_are_learnt_from_a_table_whose_cells_name_the_pictures(tmp_path: Path) -> None:
    folder = of_table(tmp_path / "p")
    data = load(folder, target="age")
    assert data.task == "regression"
    assert labels(data) == {f"{i:04}.png": pytest.approx(i * 1.5, abs=1e-4) for i in range(12)}
    assert said(data, "t.csv", "'id'")
    assert "'age'" in refusal(folder).hint or refusal(folder).rule == "target_missing"
    assert refusal(folder, target="agee").rule == "target_unknown"
    (folder / "t.csv").write_text((folder / "t.csv").read_text().replace("1.5,", "1.25,"))
    assert load(folder, target="age").sha256 != data.sha256


@pytest.mark.parametrize(
    "form",
    ["{i:04}.png", "{i:04}", "./{i:04}.png", "a\\{i:04}.png", "/home/me/p/a/{i:04}.png", "a/{i:04}.PNG"],
)
def test_pictures_are_found_by_the_end_of_a_path(tmp_path: Path, form: str) -> None:
    folder = write(tmp_path / "p", [f"a/{i:04}.png" for i in range(8)])
    table(folder / "labels.csv", "y,picture", (f"{'uv'[i % 2]},{form.format(i=i)}" for i in range(8)))
    assert labels(load(folder)) == {f"a/{i:04}.png": "uv"[i % 2] for i in range(8)}


def test_one_of_several_tables_is_named_and_may_lie_elsewhere(tmp_path: Path) -> None:
    folder = of_table(tmp_path / "p")
    table(folder / "u.csv", "name,y", (f"{i:04}.png,{'ab'[i % 2]}" for i in range(12)))
    (folder / "notes.txt").write_text("about\nthese pictures\n")
    error = refusal(folder, target="y")
    assert (error.rule, "t.csv" in error.message, "u.csv" in error.message) == ("labels_several", True, True)
    inside = load(folder, labels="u.csv")
    assert inside.classes == ("a", "b")
    assert inside.arguments.labels == "u.csv"
    assert said(inside, "2 such as notes.txt (a table that isn't used)")
    same(load(folder, labels=folder / "u.csv"), inside)
    (folder / "u.csv").rename(tmp_path / "v.csv")
    outside = load(folder, labels=tmp_path / "v.csv")
    assert labels(outside) == labels(inside)
    assert list(outside.files) == ["labels"]
    assert outside.arguments.labels is None
    table(tmp_path / "w.csv", "name,y", ["x,1", "z,2"])
    assert refusal(folder, labels=tmp_path / "w.csv").rule == "labels_names"
    (tmp_path / "self.csv").symlink_to("self.csv")
    assert refusal(folder, labels=tmp_path / "self.csv").rule == "file_unreadable"
    assert refusal(folder, labels=tmp_path / "none.csv").rule == "data_unknown"


def test_folders_of_classes_may_have_a_table_beside_them(tmp_path: Path) -> None:
    folder = of_classes(tmp_path / "p", n=6)
    rows = [f"{c}/{i}.png,p{i},{i / 4}" for c in ("cat", "dog") for i in range(6)]
    table(folder / "about.csv", "file,who,size", rows)
    data = load(folder)
    assert data.classes == ("cat", "dog")
    assert said(data, "about.csv", "isn't used")
    grouped = load(folder, split_group="who")
    assert grouped.classes == ("cat", "dog")
    assert parts(grouped)["cat/3.png"] == parts(grouped)["dog/3.png"]
    assert load(folder, target="size").task == "regression"


def test_labels_and_files_without_each_other_are_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "p", [f"{i}.png" for i in range(10)])
    rows = [f"{i}.png,{'ab'[i % 2]}" for i in range(2, 13)]
    table(folder / "l.csv", "name,y", rows)
    error = refusal(folder, skip_bad=2)
    assert error.rule == "pictures_bad"
    assert "3 of 13" in error.message
    assert "10.png: " in error.message
    data = load(folder, skip_bad=3)
    assert said(data, "10.png", "12.png")
    assert said(data, "2, the first in 0.png")
    assert labels(data) == {f"{i}.png": "ab"[i % 2] for i in range(2, 10)}


def test_a_file_named_twice_counts_once_and_may_not_have_two_labels(tmp_path: Path) -> None:
    folder = write(tmp_path / "p", [f"{i}.png" for i in range(8)])
    rows = [f"{i}.png,{'ab'[i % 2]}" for i in range(8)]
    table(folder / "l.csv", "name,y", [*rows, rows[3]])
    data = load(folder)
    assert len(labels(data)) == 8
    assert said(data, "Rows of labels left out", "1")
    table(folder / "l.csv", "name,y", [*rows, "3.png,a"])
    error = refusal(folder)
    assert error.rule == "label_twice"
    for part in ("3.png", "'b' in line 5", "'a' in line 10"):
        assert part in error.message


def test_numbers_and_other_spellings_name_the_pictures_that_they_mean(tmp_path: Path) -> None:
    folder = write(tmp_path / "p", [f"scans/{i:04}.JPG" for i in range(1, 13)])
    wanted = {f"scans/{i:04}.JPG": "ab"[i % 3 == 0] for i in range(1, 13)}
    for spelling in (
        "{}",
        "{}.0",
        "{:03}.jpg",
        "SCANS/{:04}",
        "D:\\data\\Scans\\{:04}.jpg",
        "scans / {}",
        " {:02} ",
    ):
        rows = (f"{100 + i},{spelling.format(i)},{'ab'[i % 3 == 0]}" for i in range(12, 0, -1))
        path = table(tmp_path / "l.csv", "age,patient,y", rows)
        data = load(folder, labels=path, target="y")
        assert labels(data) == wanted, spelling
        loose = spelling in ("{}", "{}.0", "{:03}.jpg", "scans / {}", " {:02} ")
        assert said(data, "names scans/0012.JPG: zeros before a number") == loose, spelling
    write(folder, ["scans/07.jpg"])
    path = table(tmp_path / "l.csv", "patient,y", (f"{i},{'ab'[i % 3 == 0]}" for i in range(1, 13)))
    error = refusal(folder, labels=path, target="y")
    assert (error.rule, "scans/0007.JPG and scans/07.jpg" in error.message) == ("label_ambiguous", True)
    (folder / "scans/07.jpg").unlink()
    path = table(
        tmp_path / "l.csv", "rank,patient,y", (f"{i},{13 - i},{'ab'[i % 3 == 0]}" for i in range(1, 13))
    )
    error = refusal(folder, labels=path, target="y")
    assert (error.rule, "'rank' and 'patient'" in error.message) == ("labels_columns", True)
    path = table(path, "rank,patient,y", (f"{i},{13 - i:04}.jpg,{'ab'[i % 3 == 0]}" for i in range(1, 13)))
    assert said(load(folder, labels=path, target="y"), "'patient' names the pictures")


def test_a_table_of_pictures_alone_says_how_to_give_them(tmp_path: Path) -> None:
    path = table(tmp_path / "l.csv", "name,y", (f"{i}.png,{'ab'[i % 2]}" for i in range(8)))
    error = refusal(path, target="y")
    assert (error.rule, "labels=" in error.hint) == ("table_of_pictures", True)
    table(path, "name,size,y", (f"{i}.png,{i * i % 7},{'ab'[i % 2]}" for i in range(8)))
    assert said(load(path, target="y"), "'name'", "labels=")


# ---- splits


def test_groups_in_names_or_in_a_column_are_never_parted(tmp_path: Path) -> None:
    names = [f"{c}/patient-{p}_{i}.png" for c in ("cat", "dog") for p in range(6) for i in range(3)]
    folder = write(tmp_path / "p", names)
    for seed in range(3):
        data = load(folder, split_group=r"patient-(\d+)", data_seed=seed)
        where = parts(data)
        assert {name: where[name] for name in names} == where
        of_patient = {name.split("-")[1].split("_")[0]: set[str]() for name in names}
        for name, part in where.items():
            of_patient[name.split("-")[1].split("_")[0]].add(part)
        assert all(len(each) == 1 for each in of_patient.values())
        assert len(set(where.values())) == 3
    write(folder, ["cat/other.png", "dog/none.png"])
    data = load(folder, split_group=r"patient-(\d+)")
    assert parts(data)["cat/other.png"] == parts(data)["dog/none.png"]
    assert said(data, "cat/other.png", "2")
    assert refusal(folder, split_group=r"visit-(\d+)").rule == "split_group_nowhere"
    assert refusal(folder, split_group=r"patient-\d+").rule == "split_group_form"
    assert refusal(folder, split_group="patient").rule == "split_unknown"


def test_equal_pictures_of_two_groups_are_counted(tmp_path: Path) -> None:
    folder = write(tmp_path / "p", [f"{c}/g{p}-{i}.png" for c in "ab" for p in range(6) for i in range(3)])
    for p in range(6):
        shutil.copy(folder / "a" / "g0-0.png", folder / "a" / f"g{p}-9.png")
    group = r"(g\d)"
    data = load(folder, split_group=group)
    where = parts(data)
    copies = ["a/g0-0.png", *(f"a/g{p}-9.png" for p in range(6))]
    held_back = {where[name] for name in copies} - {"train"}
    assert held_back
    assert said(data, "equal a row held back from them in all pixels, or almost", "duplicates")
    apart = load(folder, split_group=group, duplicates="apart")
    where = parts(apart)
    assert len({where[name] for name in copies if name in where}) == 1


# ---- what is left out


def test_everything_that_is_left_out_is_said(tmp_path: Path) -> None:
    folder = of_classes(tmp_path / "p", n=6)
    write(tmp_path, ["outside.png"])
    (folder / "cow").mkdir()
    (folder / ".git").mkdir()
    write(folder, [".git/1.png", "cat/.hidden.png"])
    for name in ("readme.md", "cat/photo.heic", "dog/more.zip", "notes.txt"):
        (folder / name).write_text("x\n")
    (folder / "cat" / "out.png").symlink_to(tmp_path / "outside.png")
    (folder / "cat" / "nowhere.png").symlink_to("none.png")
    (folder / "cat" / "itself.png").symlink_to("itself.png")
    (folder / "dog" / "again").symlink_to(folder, target_is_directory=True)
    (folder / "dog" / "in.png").symlink_to(folder / "cat" / "1.png")
    os.mkfifo(folder / "dog" / "pipe.png")
    data = load(folder, duplicates="ignore")
    own = {f"{c}/{i}.png" for c in ("cat", "dog") for i in range(6)}
    assert set(data.file_names) == own | {"dog/in.png"}
    (note,) = (note for note in data.notes if note.startswith("Left out"))
    for part in (
        "2 such as .git (hidden)", "readme.md (no picture)", ".heic", "dog/more.zip (an archive",
        "notes.txt (a table", "cat/out.png (a link that leaves", "2 such as cat/itself.png (a link",
        "dog/again (a link to a folder)", "dog/pipe.png (no plain", "cow/ (a folder without pictures)",
    ):  # fmt: skip
        assert part in note


def test_names_that_differ_by_case_only_and_odd_names_are_kept(tmp_path: Path) -> None:
    folder = of_classes(tmp_path / "p", n=5)
    write(folder, ["cat/A.png", "cat/a.png", "Dog/1.png", "Dog/2.png", "cat/new\nline\x1b[31m.png"])
    with open(os.path.join(os.fsencode(folder), b"cat/\xff.png"), "wb") as file:
        file.write(picture(99))
    data = load(folder)
    assert data.classes == ("Dog", "cat", "dog")
    assert said(data, "only in case or spaces, each a class of its own: Dog, dog")
    assert {"cat/new\nline\x1b[31m.png", "cat/\\xff.png"} <= set(labels(data))


def test_a_folder_without_pictures_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert refusal(tmp_path / "empty").rule == "pictures_none"
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "1.heic").write_text("x")
    assert "1.heic" in refusal(tmp_path / "phone").message
    (tmp_path / "tables").mkdir()
    table(tmp_path / "tables" / "a.tsv", "a", [1])
    error = refusal(tmp_path / "tables")
    assert error.rule == "file_is_folder"
    assert "tables/*.tsv" in error.hint
    write(tmp_path / "bad", ["a/1.png", "b/1.png"])
    for path in (tmp_path / "bad").rglob("*.png"):
        path.write_text("no picture")
    error = refusal(tmp_path / "bad")
    assert (error.rule, "a/1.png" in error.message) == ("pictures_unreadable", True)


# ---- archives


def packed(folder: Path, form: str) -> Path:
    return Path(shutil.make_archive(str(folder.with_name("packed")), form, folder))


@pytest.mark.parametrize("form", ["zip", "tar", "gztar", "bztar", "xztar"])
def test_an_archive_gives_the_same_rows_as_the_folder(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = of_table(tmp_path / "p")
    whole = load(folder, target="age", split_group="who")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    archive = packed(folder, form)
    data = load(archive, target="age", split_group="who")
    same(data, whole)
    assert data.name == "packed"
    del data
    assert [path for path in (tmp_path / "temporary").rglob("*") if path.is_file()] == []


def test_names_that_leave_an_archive_and_what_is_no_file_are_left_out(tmp_path: Path) -> None:
    names = [f"{c}/{i}.png" for c in ("cat", "dog") for i in range(6)]
    bad = ["../../up.png", "/root.png", "cat/../../up.png", "C:\\x.png", "__MACOSX/._1.png"]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for seed, name in enumerate([*names, *bad]):
            file.writestr(name, picture(seed))
        link = zipfile.ZipInfo("cat/link.png")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        for seed, name in enumerate([*names, *bad]):
            info = tarfile.TarInfo(name)
            info.size = len(picture(seed))
            file.addfile(info, io.BytesIO(picture(seed)))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"cat/odd{kind.decode()}.png")
            info.type, info.linkname = kind, "/etc/passwd"
            file.addfile(info)
    for archive in ("a.zip", "a.tar"):
        data = load(tmp_path / archive)
        assert set(data.file_names) == set(names)
        assert said(data, "../../up.png (a name that leaves the archive)", "link", "__MACOSX")


def _encrypted(content: bytearray) -> None:
    for mark, flag in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = -1
        while (at := content.find(mark, at + 1)) >= 0:
            content[at + flag] |= 1


def test_bad_archives_are_refused_or_name_the_file(tmp_path: Path) -> None:
    folder = of_classes(tmp_path / "p")
    with zipfile.ZipFile(tmp_path / "whole.zip", "w") as file:
        for path in sorted(folder.rglob("*.png")):
            file.write(path, path.relative_to(folder))
    whole = (tmp_path / "whole.zip").read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole[: len(whole) // 2])
    assert refusal(cut).rule == "file_damaged"
    changed = bytearray(whole)
    changed[whole.find(picture(3)) + 60] ^= 255
    cut.write_bytes(bytes(changed))
    error = refusal(cut)
    assert (error.rule, "cat/3.png" in error.message) == ("pictures_bad", True)
    assert len(labels(load(cut, skip_bad=1))) == 15
    locked = bytearray(whole)
    _encrypted(locked)
    cut.write_bytes(bytes(locked))
    assert refusal(cut).rule == "archive_encrypted"
    with zipfile.ZipFile(cut, "w") as file:
        file.writestr("photos.zip", whole)
    assert refusal(cut).rule == "csv_binary"  # a zip in a zip
    for form, ending in (("tar", "tar"), ("gztar", "tar.gz"), ("bztar", "tar.bz2"), ("xztar", "tar.xz")):
        whole = packed(folder, form).read_bytes()
        cut = tmp_path / f"cut.{ending}"
        cut.write_bytes(whole[: len(whole) // 2])
        assert refusal(cut).rule == "file_damaged", form
    bomb = tarfile.TarInfo("a.png")
    bomb.size = 80 << 20
    with gzip.open(tmp_path / "bomb.tar.gz", "wb", compresslevel=1) as stream:
        stream.write(bomb.tobuf() + bytes(bomb.size))
    assert refusal(tmp_path / "bomb.tar.gz").rule == "file_bomb"


def declaring(path: Path, size: int, declared: int, method: int) -> Path:
    """A zip with one file more, of zeros, whose size the archive declares otherwise."""
    shutil.copy(path.with_name("p.zip"), path)
    with zipfile.ZipFile(path, "a", method) as file:
        file.writestr("cat/big.png", bytes(size))
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), declared.to_bytes(4, "little")))
    return path


@pytest.mark.slow
def test_what_is_too_large_in_an_archive_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "p"), "zip", of_classes(tmp_path / "p"))
    sound = Path(shutil.make_archive(str(tmp_path / "p"), "tar", tmp_path / "p")).read_bytes().rstrip(b"\0")
    sound += bytes(-len(sound) % 512)
    large, small, packing = 3 << 30, 48 << 20, zipfile.ZIP_DEFLATED
    head = tarfile.TarInfo("cat/big.png")
    head.size = large
    with (tmp_path / "sparse.tar").open("wb") as file:
        file.write(sound + head.tobuf())
        file.truncate(len(sound) + 512 + large + 1024)  # takes no room on disk
    load(tmp_path / "p.zip")  # whose modules stay in memory
    for path, reason in (
        (declaring(tmp_path / "a.zip", 900, large, packing), "File too large: 3 221 225 472 bytes"),
        (declaring(tmp_path / "b.zip", 80 << 20, 80 << 20, packing), "83 886 080 bytes, and 67 108 864"),
        (declaring(tmp_path / "c.zip", small, 900, packing), "Bad CRC-32"),
        (declaring(tmp_path / "d.zip", small, 900, zipfile.ZIP_LZMA), "Bad CRC-32"),
        (tmp_path / "sparse.tar", "File too large"),
    ):
        tracemalloc.start()
        error = refusal(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert error.rule == "pictures_bad"
        assert f"1 of 17 pictures in '{path}' can't be read (cat/big.png: it can't be read: " in error.message
        assert reason in error.message.replace("\u202f", " ")
        assert peak < 16 << 20, path.name
        assert len(labels(load(path, skip_bad=1))) == 16
    for size in (-512, 1 << 60):  # the one was read for ever, of the other the name is as long
        head = tarfile.TarInfo("long")
        head.size, head.type = max(size, 0), tarfile.REGTYPE if size < 0 else tarfile.GNUTYPE_LONGNAME
        block = bytearray(head.tobuf(tarfile.GNU_FORMAT))
        block[124:136] = (size % (1 << 96) | 128 << 88).to_bytes(12, "big")
        block[148:156] = b"%06o\0 " % sum(block[:148] + b" " * 8 + block[156:])
        (tmp_path / "odd.tar").write_bytes(sound + block + bytes(1024))
        assert refusal(tmp_path / "odd.tar").rule == "file_damaged"


# ---- runs


def test_a_run_finds_its_pictures_again_and_notices_changes(tmp_path: Path) -> None:
    folder = of_table(tmp_path / "a" / "p")
    (folder / "t.csv").rename(tmp_path / "a" / "t.csv")
    run = tr.fit(
        folder, labels=str(tmp_path / "a" / "t.csv"), target="age", split_group="who",
        parent=tmp_path / "runs", epochs=1, hidden=[4],
    )  # fmt: skip
    assert str(tmp_path) not in run.spec.data.model_dump_json()
    same(data_of(run.folder), run.data)
    shutil.move(tmp_path / "a", tmp_path / "b")
    assert refusal_of(data_of, run.folder).rule == "data_gone"
    same(data_of(run.folder, tmp_path / "b" / "p"), run.data)  # its table lies beside it still
    archive = packed(tmp_path / "b" / "p", "zip")
    same(data_of(run.folder, archive), run.data)
    shutil.move(tmp_path / "b", tmp_path / "a")
    (folder / "0003.png").write_bytes(picture(77))
    with pytest.raises(TreinoError, match="not those that") as changed:
        data_of(run.folder)
    assert changed.value.rule == "data_changed"
    (folder / "0003.png").write_bytes(picture(3))
    same(data_of(run.folder), run.data)
    with (tmp_path / "a" / "t.csv").open("a") as file:
        file.write("\n")
    with pytest.raises(TreinoError, match=r"t\.csv") as changed:
        data_of(run.folder)
    assert changed.value.rule == "data_changed"


def test_the_folder_of_a_run_is_no_data(tmp_path: Path, treino: Treino) -> None:
    folder = of_classes(tmp_path / "p")
    assert treino("train", "p", "--epochs", 1, "--hidden", 4, "--out", "p/runs/one").status == 0
    write(folder, ["runs/one/pictures/boundary.png"])
    refused = treino("train", "p/runs/one")
    assert refused.status == 2
    assert "--like p/runs/one" in refused.err
    data = load(folder)
    assert said(data, "runs/one/ (the folder of a run)")
    assert len(data.file_names) == 16


def test_no_picture_is_written_among_the_pictures(tmp_path: Path, treino: Treino) -> None:
    folder = of_classes(tmp_path / "p")
    refused = treino("data", "p", "--to", "p/cat/sheet.png")
    assert refused.status == 2
    assert "p/cat/sheet.png" in refused.err
    assert not (folder / "cat" / "sheet.png").exists()
    assert treino("data", "p", "--to", "sheet.png").status == 0


INTERRUPTED = """
import contextlib, os, pathlib, signal, sys, time
from treino.cli import main
from treino.data.photographs import prepared_pictures

decode, us, sent = prepared_pictures.decode, os.getpid(), pathlib.Path("sent")

def interrupted(content, shape, fit):
    if shape is not None:
        with contextlib.suppress(FileExistsError):
            sent.touch(exist_ok=False)
            os.kill(us, signal.SIGINT)
        time.sleep(0.01)  # the others are not done when it comes
    return decode(content, shape, fit)

prepared_pictures.decode = interrupted
sys.exit(main(["train", "p", "--epochs", "1"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("count", [20, 300], ids=["threads", "processes"])
def test_ctrl_c_ends_decoding_and_leaves_nothing(tmp_path: Path, count: int) -> None:
    """In a process of its own, for the signal reaches whoever runs when it is handled."""
    of_classes(tmp_path / "p", n=count)
    program = [sys.executable, "-c", INTERRUPTED]
    ended = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=HANG)
    assert (ended.returncode, (tmp_path / "sent").exists()) == (130, True)
    assert "Traceback" not in ended.stderr
    assert [path for path in (tmp_path / "runs").rglob("*") if path.is_file()] == []
