"""The playground's address: what is written into it is read again, by the page's own modules in node."""

import base64
import json
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import Said
from tests.waiting import HANG

import treino as tr
from apps.studio.tests.playground.node import NODE
from treino.base.errors import TreinoError
from treino.settings.spec import FAULTS, read_settings
from treino_studio.playground.address import SETTINGS, address
from treino_studio.playground.tables import tables_in_page

WEB = Path(__file__).parents[4] / "apps/studio/src/treino_studio/playground/web"
PROGRAM = f"""
import {{ readAddress, writeAddress }} from '{(WEB / "address.js").as_uri()}';
let text = '';
for await (const chunk of process.stdin) text += chunk;
const {{ wanted, hashes, tables }} = JSON.parse(text), answers = [];
for (const each of wanted) {{
  const {{ hash, left }} = await writeAddress('#lang=pt_BR&own=1', each, {{ speed: '10' }}, {{ tables }});
  answers.push({{ hash, left, read: await readAddress(hash, {{ tables, kept: each.problem }}) }});
}}
for (const hash of hashes) answers.push(await readAddress(hash, {{ tables }}));
console.log(JSON.stringify(answers));
"""


def answers(wanted: list[Any], hashes: tuple[str, ...] = ()) -> list[Any]:
    if NODE is None:
        pytest.skip("needs node")
    asked = json.dumps({"wanted": wanted, "hashes": hashes, "tables": tables_in_page()})
    line = [NODE, "--input-type=module", "-e", PROGRAM]
    done = subprocess.run(line, input=asked, capture_output=True, text=True, timeout=HANG)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


USUAL = {"noise": None, "validation": 0.15, "test": 0.15, "data_seed": 0, "normalise": True, "features": None}
shares = st.sampled_from([0, 0.1, 0.15, 0.25])
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
tables = st.builds(
    lambda name, columns: {
        "name": name,
        "columns": [{"name": f"{column}{k}", "cells": [k, None, column]} for k, column in enumerate(columns)],
        "target": f"{columns[0]}0",
    },
    names,
    st.lists(names, min_size=1, max_size=3),
)
points = st.lists(
    st.tuples(st.integers(-50, 50).map(lambda n: n / 8), st.integers(-9, 9), st.integers(0, 2)).map(list),
    min_size=1,
)
sources = st.one_of(
    st.sampled_from(["moons", "spirals", "xor"]).map(lambda source: {"source": source}),
    st.sampled_from(["wine", "iris"]).map(lambda name: {"source": "table", "table": tables_in_page()[name]}),
    tables.map(lambda table: {"source": "table", "table": table}),
    points.map(lambda drawn: {"source": "points", "points": drawn}),
)
problems = st.builds(
    lambda source, noise, validation, test, normalise, features: {
        **USUAL, **source, "noise": noise, "validation": validation, "test": test,
        "normalise": normalise, "features": features,
    },
    sources, st.sampled_from([None, 0, 0.35]), shares, shares, st.booleans(),
    st.sampled_from([None, ["x1"], ["x1", "x2²", "sin x1"]]),
)  # fmt: skip
numbers = st.floats(0, 1e6, allow_nan=False).map(lambda x: float(f"{x:.6g}"))
own_settings = st.fixed_dictionaries(
    {},
    optional={
        "hidden": st.lists(st.integers(1, 64), max_size=4), "lr": numbers, "clip": numbers,
        "seed": st.integers(0, 10**9),
        "batch_size": st.sampled_from([1, 32, "full"]), "activation": st.sampled_from(["relu", "tanh"]),
        "fault": st.lists(st.sampled_from(FAULTS), unique=True),
    },
)  # fmt: skip
actions = st.lists(
    st.tuples(st.integers(0, 99), st.sampled_from(["set", "segment"]), st.fixed_dictionaries({"name": names}))
    .map(list),
    max_size=2,
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=4, deadline=None)  # of a process each
@given(
    st.lists(
        st.fixed_dictionaries(
            {"problem": problems, "settings": own_settings, "step": st.integers(0, 10**6), "actions": actions}
        ),
        min_size=1,
        max_size=12,
    )
)
def test_what_is_written_is_read_again(wanted: list[Any]) -> None:
    for one, answer in zip(wanted, answers(wanted), strict=True):
        read, hash_ = answer["read"], answer["hash"]
        assert read["faults"] == []
        assert (read["step"], read["actions"]) == (one["step"], one["actions"])
        assert one["settings"].items() <= read["settings"].items()
        assert read["problem"] == one["problem"]
        assert {"lang=pt_BR", "own=1", "speed=10"} <= set(hash_.removeprefix("#").split("&"))


def test_what_is_as_usual_takes_no_room() -> None:
    (usual,) = answers([], ("",))
    (written,) = answers([usual])
    assert written["hash"] == "#lang=pt_BR&own=1&speed=10"


def test_a_long_table_stays_with_the_browser_s_history() -> None:
    cells = [(k * 7919) % 100003 / 7 for k in range(4000)]
    table = {"name": "long", "columns": [{"name": "a", "cells": cells}], "target": "a"}
    wanted = {"problem": {**USUAL, "source": "table", "table": table}, "settings": {}}
    (answer,) = answers([wanted])
    assert answer["left"]
    assert len(answer["hash"]) < 200
    assert answer["read"]["problem"]["table"] == table
    (lost,) = answers([], (answer["hash"],))
    assert lost["faults"] == [{"name": "data", "value": "table"}]


def test_flags_become_the_address_that_the_page_reads() -> None:
    flags = {"hidden": "16,8", "lr": "0.01", "betas": "0.8,0.99", "batch_size": "full", "features": "x1"}
    asked = read_settings(flags | {"features": '"[a], b",x1'})
    hash_ = address("spirals", {name: getattr(asked, name) for name in flags})
    (read, plain) = answers([], (hash_, address("spirals", {})))
    assert read["faults"] == []
    assert read["problem"]["source"] == "spirals"
    assert read["problem"]["features"] == ["[a], b", "x1"]
    expected = {"hidden": [16, 8], "lr": 0.01, "beta1": 0.8, "beta2": 0.99, "batch_size": "full"}
    assert expected.items() <= read["settings"].items()
    assert [each["settings"]["activation"] for each in (read, plain)] == ["relu", "tanh"]


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        ("circles", {"seed": 4, "dropout": 0.2}),
        ("circles", {"optimizer": "sgd", "lr": 0.1, "test": 0.3}),
        ("digits", {"net": "cnn", "channels": [8, 16]}),
    ],
)
def test_with_settings_the_page_begins_as_treino_train_does(
    data: str, asked: dict[str, Any], tmp_path: Path
) -> None:
    (read,) = answers([], (address(data, asked),))
    run = tr.fit(data, **asked, steps=1, out=tmp_path / "run", lean=True)
    convolves = "net" in asked
    own = {"data_seed": run.data.data_seed, "steps": 2000 if convolves else 100_000}
    begun = run.settings | own | ({} if convolves else {"channels": []})
    names = read["settings"].keys() - {"loss", "beta1", "beta2"}
    assert {name: read["settings"][name] for name in names} == {name: begun[name] for name in names}
    assert read["problem"]["data_seed"] == run.data.data_seed


def test_rows_in_a_file_are_nothing_that_the_page_takes() -> None:
    with pytest.raises(TreinoError, match="share of the rows"):
        address("moons", {"validation": "held.csv"})


def test_a_setting_that_the_page_has_not_is_refused() -> None:
    with pytest.raises(TreinoError) as refused:
        address("moons", {"nesterov": True})
    assert refused.value.rule == "playground_setting"
    assert all(name.replace("_", "-") in (refused.value.hint or "") for name in SETTINGS)


OWN = {
    "name": "own", "target": "y",
    "columns": [
        {"name": "a", "cells": [k * 1.5 for k in range(30)]},
        {"name": "y", "cells": [k % 3 for k in range(30)]},
    ],
}  # fmt: skip


def test_a_link_that_was_cut_says_so_and_opens_what_is_whole() -> None:
    actions = [[3, "set", {"name": "lr", "value": 0.5}]]
    wanted = {"problem": {**USUAL, "source": "table", "table": OWN}, "settings": {"hidden": [4]}}
    (whole,) = answers([wanted | {"actions": actions, "step": 9}])
    hash_ = whole["hash"]
    cuts = tuple(hash_[:n] for n in range(len(hash_)))
    damaged = hash_.replace("table=", "table=%E0%A4%A").replace("replay=%5B", "replay=%5")
    found = answers([], (*cuts, damaged))
    for read in found:
        assert read["problem"]["source"] in ("moons", "t", "ta", "tab", "tabl", "table")
        assert read["problem"].get("table") in (None, OWN)
        assert read["actions"] in ([], actions)
        assert all(isinstance(action, list) for action in read["actions"])
    names = [{fault["name"] for fault in read["faults"]} for read in found]
    assert {"cut"} in names
    assert {"replay"} in names
    assert names[-1] == {"cut", "replay"}


def test_what_an_address_says_wrongly_is_named_and_is_as_usual() -> None:
    (read,) = answers([], ("#lr=fast&hidden=8,x&activation=tanh",))
    assert {fault["name"] for fault in read["faults"]} == {"lr", "hidden"}
    assert (read["settings"]["lr"], read["settings"]["activation"]) == (0.003, "tanh")


def test_names_that_every_object_has_are_no_data() -> None:
    keys = ("data", "axes", "panels", "activation", "features", "fault")
    for name in ("__proto__", "constructor", "toString"):
        (read, *others) = answers([], tuple(f"#{key}={name}" for key in keys))
        assert read["problem"] == {**USUAL, "source": name}
        assert all(other["problem"]["source"] == "moons" for other in others)


def test_a_table_of_wrong_types_or_unequal_columns_is_damaged() -> None:
    y = {"name": "y", "cells": [0, 1, 0]}
    wrong: tuple[Any, ...] = (
        [{"name": "a", "cells": [1, 2, 3]}, {"name": "y", "cells": [0, 1]}],
        [{"name": "a", "cells": "abc"}, y],
        [{"name": "a", "cells": [1, {}, 3]}, y],
        [{"name": "y", "cells": [1, 2, 3]}, y],
        [None],
        {},
    )
    tables = [{"name": "own", "target": "y", "columns": columns} for columns in wrong]
    letters = [zlib.compress(json.dumps(table).encode(), wbits=-15) for table in tables]
    hashes = ["#table=" + base64.urlsafe_b64encode(each).decode().rstrip("=") for each in letters]
    for columns, read in zip(wrong, answers([], tuple(hashes)), strict=True):
        assert read["faults"] == [{"name": "cut", "value": "moons"}], columns
        assert read["problem"] == {**USUAL, "source": "moons"}, columns


# ---- the command


@pytest.mark.slow
def test_the_command_writes_a_page_and_says_where(treino: Any, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "houses.csv").write_text("size,price\n" + "".join(f"{k},{2 * k}\n" for k in range(40)))
    said: Said = treino(
        "playground", "houses.csv", "--target", "price", "--lr", "0.1", "--no-browser", "--json"
    )
    document = json.loads(said.out)
    assert (
        document["address"]
        == (tmp_path / "playground.html").as_uri() + "#data=houses&lr=0.1&hidden=64,32&activation=relu"
    )
    assert '"name":"price"' in (tmp_path / document["path"]).read_text()
    again: Said = treino("playground", "--no-browser", "--json")  # a page of its own may be replaced
    assert json.loads(again.out)["replaced"] == ["playground.html"]
    (tmp_path / "playground.html").write_text("something of the user's")
    refused: Said = treino("playground", "--no-browser", "--json")
    assert json.loads(refused.out)["error"]["rule"] == "file_exists"


def test_a_table_without_a_target_or_too_large_for_a_page_is_refused(treino: Any, tmp_path: Path) -> None:
    small = tmp_path / "small.csv"
    small.write_text("a,b\n" + "".join(f"{k},{2 * k}\n" for k in range(40)))
    said: Said = treino("playground", str(small), "--no-browser", "--json")
    assert (said.status, json.loads(said.out)["error"]["rule"]) == (2, "target_missing")
    large = tmp_path / "large.csv"
    large.write_text("a,b\n" + "".join(f"{k},{2 * k}\n" for k in range(100_001)))
    said = treino("playground", str(large), "--target", "b", "--no-browser", "--json")
    assert json.loads(said.out)["error"]["rule"] == "table_too_large"
