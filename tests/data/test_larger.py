"""Tables larger than memory: the same bits as in memory, cached, never half prepared."""

import gc
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import refusal_of
from treino.base.errors import TreinoError
from treino.base.machine import free_bytes
from treino.data import load, prepared_cache
from treino.data.dataset import Data
from treino.data.mapped_rows import MappedRows
from treino.data.preparation.fit import _fit
from treino.data.preparation.preparation import fit_table
from treino.data.prepared_cache import MANIFEST
from treino.data.rows import bytes_of

TINY = "120KB"  # too little for the tables below, and enough for the numbers of their rows


def table(n: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Every kind of column: numbers with gaps, text, many classes, dates, truth values, equal rows."""
    r = np.random.default_rng(seed)
    found = pd.DataFrame(
        {
            "a": r.normal(size=n) * 1e3,
            "whole": r.integers(0, 9, n),
            "few": r.choice(["x", "y", "z", ""], n),
            "many": r.choice([f"k{i}" for i in range(90)], n),
            "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(r.integers(0, 10**8, n), unit="s"),
            "true": r.choice([True, False], n),
            "gap": np.where(r.random(n) < 0.1, np.nan, r.normal(size=n)),
            "said": [f"free text {i} of some words" for i in range(n)],
        }
    )
    found["y"] = np.where(found["a"] + 500 * r.normal(size=n) > 0, "yes", "no")
    found.loc[7, "y"] = None
    return pd.concat([found, found.iloc[:40]], ignore_index=True)


def same(ours: Data, data: Data) -> None:
    """Hold everything that a training sees of one to the other, bit for bit."""
    assert ours.preparation.to_json() == data.preparation.to_json()
    for split, rows in data.splits.items():
        x = ours.splits[split].x[:]
        assert x.view(torch.int32).equal(rows.x.view(torch.int32)), split
        assert ours.splits[split].y.equal(rows.y)
        assert ours.splits[split].index.equal(rows.index)
        assert rows.weight is None or rows.weight.equal(ours.splits[split].weight)
    for name in ("name", "source", "sha256", "task", "classes", "features", "arguments", "files", "written"):
        assert getattr(ours, name) == getattr(data, name), name
    assert ours.notes[:-1] == data.notes


Prepared = tuple[Path, Data, Path]


@pytest.fixture(scope="module")
def _once(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("prepared")
    table().to_csv(folder / "t.csv", index=False)
    load(folder / "t.csv", target="y", max_memory=TINY, cache=folder / "cache")
    return folder / "t.csv", load(folder / "t.csv", target="y"), folder / "cache"


@pytest.fixture
def prepared(_once: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    """A table's file, its data in memory, and a cache of the test's own in which it is prepared."""
    monkeypatch.setattr(prepared_cache, "_KNOWN", {})  # as in a new process
    return *_once[:2], Path(shutil.copytree(_once[2], tmp_path / "cache"))


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("how", "rows"),
    [
        ({}, 1000),
        ({"target": "a", "impute": "mean"}, 1000),
        ({"split_time": "when"}, 1000),
        ({"split_group": "many"}, 2000),
        ({"normalise": False, "duplicates": "ignore"}, 2000),
        ({"features": ["a"], "task": "classification"}, 2000),
        ({"kinds": {"whole": "category", "few": "hashed", "said": "hashed"}}, 2000),
        ({"validation": 0.0, "test": 0.4, "data_seed": 5}, 2000),
        ({"inputs": "bins", "bins": 4, "clip_inputs": 2.0}, 2000),
        ({"row_weights": "whole", "inputs": "bins", "bins": 4}, 2000),
    ],
    ids=str,
)
def test_the_same_bits_as_in_memory_however_it_is_asked(
    tmp_path: Path, how: dict[str, object], rows: int
) -> None:
    path = tmp_path / "t.csv"
    table(rows).to_csv(path, index=False)
    asked = {"target": "y"} | how
    ours, data = load(path, **asked, max_memory=f"{120 * rows}B"), load(path, **asked)
    assert isinstance(ours.train.x, MappedRows) or "features" in how
    same(ours, data)


@pytest.mark.parametrize("form", ["parquet", "brazilian", "gz", "jsonl"])
def test_the_same_bits_of_every_format(tmp_path: Path, form: str) -> None:
    frame, path = table(), tmp_path / f"t.{form}"
    if form == "parquet":
        frame["few"] = frame["few"].astype("category")
        frame.to_parquet(path, row_group_size=300)
    elif form == "brazilian":
        frame.to_csv(
            path, index=False, sep=";", decimal=",", encoding="latin-1", date_format="%d/%m/%Y %H:%M"
        )
    elif form == "gz":
        frame.to_csv(path, index=False, compression="gzip")
    else:
        frame.to_json(path, orient="records", lines=True, date_format="iso")
    ours, data = load(path, target="y", max_memory=TINY), load(path, target="y")
    assert isinstance(ours.train.x, MappedRows)
    same(ours, data)


def test_files_of_their_own_for_the_test(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "a.csv", index=False)
    table(300, seed=1).to_csv(tmp_path / "b.csv", index=False)
    asked = {"target": "y", "test": str(tmp_path / "b.csv")}
    same(load(tmp_path / "a.csv", **asked, max_memory="150KB"), load(tmp_path / "a.csv", **asked))


def test_inputs_that_are_larger_than_the_cells(tmp_path: Path) -> None:
    """A column of many classes is 64 inputs: the table has room in memory, and its inputs have not."""
    path = tmp_path / "t.csv"
    table()[["many", "whole", "y"]].to_csv(path, index=False)
    ours, data = load(path, target="y", max_memory="300KB"), load(path, target="y")
    assert isinstance(ours.train.x, MappedRows)
    same(ours, data)


@pytest.mark.slow
def test_what_was_prepared_is_found_again_and_only_for_the_same(tmp_path: Path) -> None:
    path, cache = tmp_path / "t.csv", tmp_path / "cache"
    table().to_csv(path, index=False)
    first = load(path, target="y", max_memory=TINY, cache=cache)
    (folder,) = cache.iterdir()
    made = (folder / MANIFEST).stat().st_mtime_ns
    again = load(path, target="y", max_memory=TINY, cache=cache)
    assert [p.name for p in cache.iterdir()] == [folder.name]
    assert (folder / MANIFEST).stat().st_mtime_ns == made
    assert not list(folder.glob("*.arrow"))
    same(again, load(path, target="y"))
    assert again.notes == first.notes
    load(path, target="y", max_memory=TINY, cache=cache, data_seed=1)
    assert len(list(cache.iterdir())) == 2
    changed = path.read_text().replace("yes", "yea")
    path.write_text(changed)
    other = load(path, target="y", max_memory=TINY, cache=cache)
    assert "yea" in other.classes
    assert len(list(cache.iterdir())) == 3


@pytest.mark.slow
@pytest.mark.parametrize("way", ["cut", "flipped", "changed"])
def test_damaged_rows_are_prepared_again_and_never_trained_on(
    prepared: Prepared, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A flipped bit of a disk leaves the file's times as they were."""
    (path, in_memory, cache), chance = prepared, random.Random(0)
    (folder,) = cache.iterdir()
    whole = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert len(whole) == 5  # the rows of three parts, their targets, and what all of it is
    for name, content in whole.items():
        file, place = folder / name, chance.randrange(len(content) * 8)
        before = file.stat()
        if way == "cut":
            file.write_bytes(content[: len(content) // 2])
        else:
            with file.open("r+b") as opened:
                opened.seek(place // 8)
                opened.write(bytes([content[place // 8] ^ 1 << place % 8]))
        if way == "flipped":
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
            monkeypatch.setattr(prepared_cache, "_KNOWN", {})  # as in a new process
        same(load(path, target="y", max_memory=TINY, cache=cache), in_memory)
        assert file.read_bytes() == content


@pytest.mark.parametrize("name", ["x-train.float32", MANIFEST, ""])
def test_a_link_in_what_was_prepared_is_not_followed(prepared: Prepared, tmp_path: Path, name: str) -> None:
    path, in_memory, cache = prepared
    (folder,) = cache.iterdir()
    outside, inside = tmp_path / "outside", folder / name
    inside.rename(outside)
    inside.symlink_to(outside)
    (cache / ".unfinished-1-a").symlink_to(tmp_path)
    same(load(path, target="y", max_memory=TINY, cache=cache), in_memory)
    assert outside.exists()
    assert not inside.is_symlink()


@pytest.mark.parametrize("whose", ["a link", "a file", "another user's"])
def test_rows_are_not_prepared_in_a_folder_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    user = os.getuid() + (whose == "another user's")
    monkeypatch.setattr(os, "getuid", lambda: user)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    place = tmp_path / f"treino-{user}"
    table().to_csv(tmp_path / "t.csv", index=False)
    if whose == "a file":
        place.touch()
    else:
        place.mkdir()
    if whose == "a link":
        place.rename(tmp_path / "theirs")
        place.symlink_to("theirs")
    with pytest.raises(TreinoError, match="not a folder of yours") as error:
        load(tmp_path / "t.csv", target="y", max_memory=TINY)
    assert (error.value.rule, error.value.status) == ("folder_of_others", 2)
    assert "TMPDIR" in error.value.hint


@pytest.mark.parametrize("before", [None, 0o777])
def test_rows_in_a_temporary_folder_are_for_their_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int | None
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    place = tmp_path / f"treino-{os.getuid()}"
    if before is not None:
        place.mkdir()
        place.chmod(before)
    table().to_csv(tmp_path / "t.csv", index=False)
    data = load(tmp_path / "t.csv", target="y", max_memory=TINY)
    assert isinstance(data.train.x, MappedRows)
    assert place.stat().st_mode & 0o777 == 0o700


def test_without_a_cache_the_files_go_with_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    table().to_csv(tmp_path / "t.csv", index=False)
    data = load(tmp_path / "t.csv", target="y", max_memory=TINY)
    assert list(tmp_path.glob("treino-*/*/x-train.float32"))
    del data
    gc.collect()
    assert not list(tmp_path.glob("treino-*/*"))


def test_nothing_stays_of_a_table_that_is_refused(tmp_path: Path) -> None:
    frame = table()
    frame.loc[900, "a"] = np.inf
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(TreinoError, match="'a'"):
        load(tmp_path / "t.csv", target="y", max_memory=TINY, cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_rows_of_which_not_even_the_numbers_fit_are_refused(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "t.csv", index=False)
    error = refusal_of(load, tmp_path / "t.csv", target="y", max_memory="10KB")
    assert error.rule == "max_memory_rows"
    least = error.hint.split("=")[-1].strip(".'")
    load(tmp_path / "t.csv", target="y", max_memory=least)


KILLED = """
import os, signal, sys
import treino.data.large_tables as larger
from treino.data import load
where = sys.argv[3]
def wait(*_a, **_k):
    print("now", flush=True)
    signal.pause()
if where == "writing":
    import treino.data.readers.columnar as columnar, treino.data.readers.columnar as spilling
    spilling.WRITE_BYTES, columnar._ROWS, columnar._LEAST_ROWS = 10_000, 300, 300
    blocks = larger.prepared_blocks
    larger.prepared_blocks = lambda *a: (wait() if i else block for i, block in enumerate(blocks(*a)))
elif where == "fitting":
    larger.scaled_by_column = wait
else:
    import treino.data.prepared_cache as cache
    cache.os.rename = wait
load(sys.argv[1], target="y", max_memory="120KB", cache=sys.argv[2])
"""


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("fitting", marks=pytest.mark.slow),
        *(pytest.param(w, marks=pytest.mark.release) for w in ("writing", "renaming")),
    ],
)
def test_a_preparation_that_is_killed_is_never_half_used(tmp_path: Path, where: str) -> None:
    path, cache = tmp_path / "t.parquet", tmp_path / "cache"
    table().to_parquet(path, row_group_size=300)
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path), str(cache), where], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "now\n"
    (left,) = cache.iterdir()
    alive = load(path, target="y", max_memory=TINY, cache=cache, data_seed=3)  # beside one that is at work
    assert left.is_dir()
    assert isinstance(alive.train.x, MappedRows)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert left.is_dir()
    same(load(path, target="y", max_memory=TINY, cache=cache), load(path, target="y"))
    assert not left.exists()
    assert len(list(cache.iterdir())) == 2


@given(
    st.integers(2, 6), st.integers(1, 300), st.integers(0, 1000), st.sampled_from([1.0, 1e-12, 1e12, 1e300])
)
@settings(max_examples=40)
def test_columns_are_fitted_as_the_whole_table(inputs: int, rows: int, seed: int, size: float) -> None:
    r = np.random.default_rng(seed)
    x_ND = r.normal(size=(rows, inputs)) * size
    x_ND[:, 0] = r.choice([0.0, x_ND[0, 0]])
    for weight in (None, r.random(rows) + 0.1):
        mean, scale = fit_table(x_ND, True, weight)
        found = [_fit(x_ND[:, j], weight) for j in range(inputs)]
        assert found == list(zip(mean, scale, strict=True))


def test_amounts_of_memory() -> None:
    assert [bytes_of(s) for s in ("2GB", "1.5 gb", "2GiB", 300, "64K", "7b")] == [
        2 * 10**9, 1_500_000_000, 2 << 30, 300, 64_000, 7,
    ]  # fmt: skip
    for wrong in ("", "0", "-1GB", "2XB", "lots", True, 0):
        with pytest.raises(TreinoError):
            bytes_of(wrong)
    assert free_bytes() > 1 << 20


PEAK = """
import gc, sys
import torch
from treino.data import load
torch.set_num_threads(1)
def megabytes(name):
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith(name)) / 1000
load(sys.argv[1], target="y", max_memory="4MB")  # what libraries take once is not the table's
gc.collect()
open("/proc/self/clear_refs", "w").write("5")
before = megabytes("VmRSS")
data = load(sys.argv[2], target="y", max_memory=sys.argv[3])
print(megabytes("VmHWM") - before)
for x, _y in data.train.batches(256):
    pass
print(megabytes("VmHWM") - before)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="the system doesn't say its peaks")
@pytest.mark.release
def test_a_table_of_three_times_the_limit_stays_under_it(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    r, rows, columns = np.random.default_rng(0), 150_000, 400
    for name, n in (("warm", 6_000), ("large", rows)):
        writer = None
        for _start in range(0, n, 5000):
            x_BD = r.normal(size=(5000, columns)).astype(np.float32)
            cells = {f"c{j}": x_BD[:, j] for j in range(columns)}
            batch = pa.table({**cells, "y": np.where(x_BD[:, 0] > 0, "a", "b")})
            writer = writer or pq.ParquetWriter(
                tmp_path / f"{name}.parquet", batch.schema, compression="none"
            )
            writer.write_table(batch)
        writer.close()
    limit = rows * columns * 4 / 3 / 1e6
    files = [str(tmp_path / f"{name}.parquet") for name in ("warm", "large")]
    found = subprocess.run(
        [sys.executable, "-c", PEAK, *files, f"{limit:.0f}MB"], capture_output=True, text=True, check=True
    )
    prepared, read = map(float, found.stdout.split())
    assert prepared < limit
    assert read < limit
