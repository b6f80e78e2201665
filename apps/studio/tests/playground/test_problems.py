"""What the playground prepares in JavaScript has the bits of ``treino train`` on the same data."""

import csv
import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.studio.tests.playground.node import Ask, problems
from treino.base.errors import TreinoError
from treino.data import load, sources
from treino.data.preparation.target import likely_targets
from treino_studio.playground.tables import tables_in_page

POINTS = "moons", "circles", "spirals", "xor", "gauss", "plane", "multi_gauss"
MADE = ["x", "y", "x²", "y²", "xy", "sin x", "sin y"]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Ask the page's modules, in one process of node."""
    with problems() as answer:
        yield answer


def arguments(flags: list[str]) -> dict[str, Any]:
    """The arguments of ``load`` that the flags of a command are."""
    normalise = "--no-normalise" not in flags
    flags = [word for word in flags if word != "--no-normalise"]
    told = {key[2:].replace("-", "_"): value for key, value in zip(flags[::2], flags[1::2], strict=True)}
    numbers = {"validation": float, "test": float, "data_seed": int}
    asked: dict[str, Any] = {name: numbers.get(name, str)(text) for name, text in told.items()}
    asked |= {} if normalise else {"normalise": False}
    if "features" in asked:
        asked["features"] = next(csv.reader([asked["features"]]))
    if "header" in asked:
        asked["reading"] = {"header": asked.pop("header") == "yes"}
    return asked


def assert_same(prepared: dict[str, Any], source: Any, **asked: Any) -> None:
    data = load(source, **asked)
    assert list(data.preparation.inputs) == prepared["features"]
    assert (data.task, data.target) == (prepared["task"], prepared["target"])
    assert list(data.classes) == prepared["classes"]
    for rows, part in zip(data.splits.values(), prepared["parts"], strict=True):
        assert rows.index.tolist() == part["rows"]
        assert rows.x.numpy().tobytes().hex() == part["x"]
        assert rows.y.numpy().astype(np.float64).tobytes().hex() == part["y"]
    assert prepared["again"] == [part["x"] for part in prepared["parts"]]
    if source not in POINTS:  # whose numbers may differ in the last bit, before they are rounded to float32
        assert list(map(float, prepared["mean"])) == list(data.preparation.mean)
        assert list(map(float, prepared["scale"])) == list(data.preparation.scale)
        target = [float(prepared["targetMean"]), float(prepared["targetScale"])]
        assert target == [data.preparation.target_mean, data.preparation.target_scale]


def assert_trains_the_same(prepared: dict[str, Any], folder: Path) -> None:
    """The command that goes with it has its bits: on a built-in, or on the file whose text comes with it."""
    command = prepared["command"]
    source = command["data"]
    if command["file"] is not None:
        source = folder / source
        source.write_text(command["file"], encoding="utf-8", newline="")
    assert_same(prepared, source, **arguments(command["flags"]))


# ---- points


@pytest.mark.parametrize("name", POINTS)
def test_built_in_points_are_those_of_treino(ask: Ask, name: str, tmp_path: Path) -> None:
    prepared = ask(problem={"source": name})
    assert prepared["command"] == {"data": name, "flags": ["--data-seed", "0"], "file": None}
    assert_trains_the_same(prepared, tmp_path)
    one = ask(problem={"source": name, "features": ["y"], "data_seed": 5, "validation": 0.3, "test": 0})
    assert one["command"]["data"] == name
    assert_trains_the_same(one, tmp_path)


@pytest.mark.parametrize("name", POINTS)
def test_other_noise_and_made_inputs_come_with_the_file_that_holds_them(
    ask: Ask, name: str, tmp_path: Path
) -> None:
    noisy = ask(problem={"source": name, "noise": 0.31})
    assert noisy["parts"] != ask(problem={"source": name})["parts"]
    assert_trains_the_same(noisy, tmp_path)
    made = ask(problem={"source": name, "features": MADE, "data_seed": 3})
    assert made["features"] == ["x1", "x2", "x1²", "x2²", "x1·x2", "sin x1", "sin x2"]
    assert_trains_the_same(made, tmp_path)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(*[st.integers(-1200, 1200).map(lambda n: n / 1000)] * 2, st.integers(0, 5)),
        min_size=8,
        max_size=40,
    )
)
def test_points_drawn_by_hand_come_with_their_file(
    ask: Ask, tmp_path: Path, points: list[tuple[float, float, int]]
) -> None:
    prepared = ask(problem={"source": "points", "points": points, "test": 0})
    if "rule" not in prepared:
        assert_trains_the_same(prepared, tmp_path)
        return
    assert prepared["rule"] in ("target_constant", "rows_too_few", "classes_all_distinct")
    path = tmp_path / "points.csv"
    path.write_text("\n".join(["x1,x2,target", *(",".join(map(repr, point)) for point in points)]))
    with pytest.raises(TreinoError) as refused:
        load(path, target="target", features="x1,x2", test=0)
    assert refused.value.rule == prepared["rule"]


# ---- the tables in the page


@pytest.mark.parametrize("name", ["wine", "iris"])
def test_tables_in_the_page_are_those_of_treino(ask: Ask, name: str, tmp_path: Path) -> None:
    table = tables_in_page()[name]
    columns = [column["name"] for column in table["columns"]]
    for own in (
        {},
        {"features": columns[1:3], "data_seed": 9},
        {"features": columns[:1], "validation": 0.25},
        {"normalise": False},
        {"features": ["x", "y"]},
        {"features": ["x", "sin y", columns[1], "xy"], "axes": columns[:2], "test": 0.3},
    ):
        prepared = ask(problem={"source": name, "table": table, **own})
        assert prepared["command"]["data"] in (name, f"{name}.csv")
        assert_trains_the_same(prepared, tmp_path)


def test_two_columns_are_those_whose_classes_lie_apart(ask: Ask) -> None:
    """By determinants: the least of Wilks' lambda, det(within) / det(total), over all pairs."""
    for name in ("wine", "iris"):
        prepared = ask(problem={"source": name, "table": tables_in_page()[name]})
        data = load(name)
        x_ND, y_N = data.train.x.numpy().astype(np.float64), data.train.y.numpy()

        def share(pair: tuple[int, int], x_ND: Any = x_ND, y_N: Any = y_N) -> float:
            x_N2 = x_ND[:, pair]
            within = sum(np.cov(x_N2[y_N == c].T, bias=True) * (y_N == c).sum() for c in np.unique(y_N))
            return float(np.linalg.det(within) / np.linalg.det(np.cov(x_N2.T, bias=True) * len(y_N)))

        best = min(itertools.combinations(range(x_ND.shape[1]), 2), key=share)
        assert {data.features[j] for j in best} == set(prepared["axes"][:2])
        two = ask(problem={"source": name, "table": tables_in_page()[name], "features": ["x", "y"]})
        assert set(two["features"]) == set(prepared["axes"][:2])


# ---- tables of one's own


def numbers(decimals: int, exponent: int) -> st.SearchStrategy[float]:
    return st.integers(-(10**6), 10**6).map(lambda n: n * 10.0**exponent / 10**decimals)


COLUMN = st.one_of(
    numbers(3, 0), numbers(0, 0), numbers(4, -200), numbers(2, 30), st.integers(0, 2), st.booleans().map(int),
    st.floats(-1e30, 1e30, allow_subnormal=True), st.just(7), st.sampled_from(["", 1.5, 2.25, -3.5]),
    st.sampled_from(["oak", "élm", "a b", "x,y"]), st.sampled_from(["", "oak", "elm"]),
    st.sampled_from(["yes", "no", ""]), st.sampled_from(["", "True", "False"]),
    st.sampled_from(["NA", "oak", "elm"]),
)  # fmt: skip
TARGET = st.one_of(
    st.sampled_from(["a", "b", "c"]), st.sampled_from(["Ção", "10h", "no, never", 'a "b"', "😀", "\uffff"]),
    st.integers(0, 3), st.integers(0, 60), numbers(2, 0), st.booleans(), st.sampled_from(["yes", "no"]),
    st.sampled_from(["", "1", "2"]), st.sampled_from(["NA", "b", "c"]), st.sampled_from(["x", "1.5"]),
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, str]:
    """A CSV in one of the usual dialects, and its target."""
    n, width = draw(st.integers(4, 60)), draw(st.integers(1, 4))
    kinds = [draw(st.sampled_from(COLUMN.original_strategies)) for _ in range(width)]  # type: ignore[attr-defined]
    kinds.append(draw(st.sampled_from(TARGET.original_strategies)))  # type: ignore[attr-defined]
    rows = draw(st.lists(st.tuples(*kinds), min_size=n, max_size=n))
    rows += draw(st.lists(st.sampled_from(rows), max_size=10)) if rows else []
    names = draw(
        st.lists(
            st.sampled_from(["a", "id", "year", "x, y", "área", "n", "target", "index", "t", "sin x", "x²"]),
            min_size=width + 1,
            max_size=width + 1,
            unique=True,
        )
    )
    delimiter, comma = draw(st.sampled_from([(",", False), (";", True), (";", False), ("\t", True)]))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=draw(st.sampled_from(["\n", "\r\n"])))
    writer.writerow(names)
    for row in rows:
        cells = [repr(cell) if isinstance(cell, float) else str(cell) for cell in row]
        writer.writerow([cell.replace(".", ",") if comma else cell for cell in cells])
    return draw(st.sampled_from(["", "\ufeff"])) + out.getvalue(), names[-1]


@pytest.mark.slow
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=tables(), seed=st.integers(0, 9))
def test_a_table_has_the_bits_that_treino_has_of_it(
    ask: Ask, tmp_path: Path, table: tuple[str, str], seed: int
) -> None:
    """From the file that was read, and from the one that comes with the command. What treino refuses is
    refused; of what treino can read, the page takes columns of numbers, truth values and some classes."""
    text, target = table
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8", newline="")
    prepared = ask(text=text, options={"file": "own.csv"}, target=target, problem={"data_seed": seed})
    if "rule" not in prepared:
        asked = arguments(prepared["command"]["flags"])
        asked.pop("reading", None)
        assert_same(prepared, path, **asked)
        prepared["command"]["data"] = "with-command.csv"
        assert_trains_the_same(prepared, tmp_path)
        assert likely_targets(sources.read(path)) == prepared["likely"]
        return
    try:
        data = load(path, target=target, data_seed=seed)
    except TreinoError:
        return  # of several faults each names the one that it meets first
    assert prepared["rule"] in ("no_inputs", "target_written"), prepared
    assert "treino train own.csv --target" in prepared["hint"]
    assert prepared["rule"] == "target_written" or not data.preparation.plain


LINES = "\n".join(f"{i / 7:.4f},{i % 5},{'ab'[i % 2]}" for i in range(30))
REFUSED = {
    "empty": ("", "csv_empty"),
    "one column": ("a\n1\n2\n3\n", "csv_one_column"),
    "a short line": (f"a,b,c\n{LINES}\n1,2\n", "csv_ragged"),
    "an open quote": (f'a,b,c\n{LINES}\n1,2,"x\n', "csv_unclosed_quote"),
    "text after a quote": (f'a,b,c\n{LINES}\n1,2,"x"y\n', "csv_quote"),
    "no name": (f"a,,c\n{LINES}\n", "column_name_empty"),
    "one class": ("a,b,c\n" + LINES.replace("b", "a"), "target_constant"),
    "words among numbers": (
        "a,c\n" + "\n".join(f"{i},{i / 7}" for i in range(9)) + "\n5,oops",
        "target_text",
    ),
    "words among decimal commas": (
        "a;c\n" + "\n".join(f"{i},5;{i / 7:.2f}".replace(".", ",") for i in range(9)) + "\n5,5;oops",
        "target_text",
    ),
    "dates": ("a,c\n" + "\n".join(f"{i},2024-01-{i + 1:02}" for i in range(9)), "target_date"),
    "point and comma": ("a;b;c\n" + "\n".join(f"{i}.5;{i},5;{i % 2}" for i in range(9)), "decimal_mixed"),
    "1.234": ("a;c\n" + "\n".join(f"{i}.234;{i % 2}" for i in range(1, 9)), "decimal_open"),
    "a class in each row": ("a,c\n" + "\n".join(f"{i},c{i}" for i in range(9)), "classes_all_distinct"),
    "equal rows": ("a,c\n" + "\n".join(f"{i % 2},{'xy'[i % 2]}" for i in range(9)), "rows_too_few"),
    "a header or not": ("1,2,3\n" + "\n".join(f"{i},{i + 1},{i % 2}" for i in range(4, 19)), "csv_header"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_treino_refuses_is_refused_with_a_sentence(ask: Ask, case: str, tmp_path: Path) -> None:
    text, rule = REFUSED[case]
    path = tmp_path / "own.csv"
    path.write_text(text)
    refusal = ask(text=text, options={"file": "own.csv"}, target="c")
    assert refusal.get("rule") == {"features_none": "no_inputs"}.get(rule, rule)
    assert "{" not in refusal["message"] + refusal["hint"]
    assert refusal["message"].endswith((".", "?", "numbers only."))
    with pytest.raises(TreinoError) as refused:
        load(path, target="c")
    assert refused.value.rule == rule


SHAPES = {
    "a saved index": ",a,b,c\n" + "\n".join(f"{i},{line}" for i, line in enumerate(LINES.split("\n"))),
    "R's index": "a,b,c\n" + "\n".join(f"q{i},{line}" for i, line in enumerate(LINES.split("\n"))),
    "trailing commas": f"a,b,c,,\n{LINES}\n".replace("a\n", "a,,\n").replace("b\n", "b,,\n"),
    "a name twice": f"a,a,c\n{LINES}\n",
    "empty rows": f"a,b,c\n{LINES}\n,,\n,,\n",
    "blanks after quotes": "a,b,c\n" + LINES.replace(",", '" ,"').replace("\n", '" \n"').join('""') + "\n",
    "an id that returns": "a,shop_id,c\n" + "\n".join(f"{i * i},{i % 6},{'ab'[i % 2]}" for i in range(90)),
    "counted from 500": "a,ticket,c\n" + "\n".join(f"{i * i},{i + 500},{'ab'[i % 2]}" for i in range(30)),
}
LEFT = {  # read by the command, and no number or class of the page's
    "codes": "a,b,c\n" + "\n".join(f"{i},{i % 5},{('71E05', '9E4')[i % 2]}" for i in range(30)),
    "brackets": "a,b,c\n" + "\n".join(f"{i},{i % 5},{(f'{i}.5', f'({i}.5)')[i % 2]}" for i in range(30)),
}
OTHER_LINES = {
    "a title": f"My rows\na,b,c\n{LINES}\n",
    "a title with commas": f"Rows, of mine, 7\na,b,c\n{LINES}\n",
    "a comment": f"# mine, of 2024\na,b,c\n{LINES}\n",
}


@pytest.mark.parametrize("case", LEFT)
def test_cells_that_only_the_command_reads_are_left_to_it(ask: Ask, case: str, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(LEFT[case])
    found = ask(text=LEFT[case], options={"file": "own.csv"}, target="c")
    assert found["rule"] == "target_written", found
    assert "treino train own.csv" in found["hint"]
    assert load(path, target="c").task == ("regression" if case == "brackets" else "classification")


@pytest.mark.parametrize("case", [*SHAPES, *OTHER_LINES])
def test_shapes_of_a_table_are_read_as_treino_reads_them_or_left_to_it(
    ask: Ask, case: str, tmp_path: Path
) -> None:
    text = (SHAPES | OTHER_LINES)[case]
    path = tmp_path / "own.csv"
    path.write_text(text)
    found = ask(text=text, options={"file": "own.csv"}, target="c")
    if case in SHAPES:
        assert_same(found, path, target="c", data_seed=0)
        return
    assert (found["rule"], "treino train own.csv" in found["hint"]) == ("csv_lines", True)
    assert load(path, target="c").features[-1] == "b"


def test_what_was_asked_settles_what_the_file_leaves_open(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    for case, option, reading in (
        ("1.234", {"decimal": "."}, {"decimal": "."}),
        ("1.234", {"decimal": ","}, {"decimal": ","}),
        ("a header or not", {"header": False}, {"header": False}),
    ):
        text, _rule = REFUSED[case]
        path.write_text(text)
        target = "c" if "decimal" in option else "x3"
        prepared = ask(text=text, options={"file": "own.csv", **option}, target=target)
        assert_same(prepared, path, target=target, data_seed=0, reading=reading)
        assert_trains_the_same(prepared, tmp_path)


def test_columns_that_the_page_leaves_out_are_named_and_left_to_the_command_line(ask: Ask) -> None:
    columns = {
        "city": "texts, or too", "day": "dates or times", "price": "amounts with a sign",
        "typo": "words among numbers", "id": "only tells rows apart", "same": "never changes",
        "code": "amounts with a sign", "endless": "not finite", "nothing": "no value in any row",
    }  # fmt: skip
    rows = [
        f"{i / 7:.4f},{'ABC'[i % 3]}{i},2024-01-{i + 1:02},R$ {i},{i if i != 4 else 'four'},"
        f"{i * i},5,{i:03},{'inf' if i == 2 else i},,{i % 2}"
        for i in range(20)
    ]
    text = "\n".join([",".join(["fine", *columns, "y"]), *rows])
    prepared = ask(text=text, options={"file": "own.csv"})
    assert prepared["features"] == ["fine"]
    odd = "'typo' holds 'four' among numbers: correct it, and the column can be an input."
    assert [note for note in prepared["notes"] if "holds" in note] == [odd]
    for name, why in columns.items():
        assert any(name in note and why in note for note in prepared["notes"]), name
        refusal = ask(text=text, options={"file": "my file.csv"}, problem={"features": ["fine", name]})
        assert refusal["rule"] == "features_kinds"
        assert why in refusal["message"]
        assert "treino train 'my file.csv' --target y" in refusal["hint"]


@pytest.mark.slow
def test_of_many_rows_the_same_sample_is_taken_and_told(ask: Ask, tmp_path: Path) -> None:
    random = np.random.RandomState(0)
    x_N2 = random.normal(size=(25_000, 2))
    text = "a,b,c\n" + "\n".join(f"{a:.6f}1,{b:.6f}1,{'xy'[int(a > b)]}" for a, b in x_N2.tolist())
    first = ask(text=text, options={"file": "many.csv"})
    assert first["reading"] == [
        "Of its 25000 rows the page takes 20000, drawn at random and always the same ones."
    ]
    assert ask(text=text, options={"file": "many.csv"}) == first
    assert sum(len(part["rows"]) for part in first["parts"]) == 20_000
    assert first["command"]["data"] == "many-sample.csv"
    place = {line: i for i, line in enumerate(text.splitlines())}
    kept = [place[line] for line in first["command"]["file"].splitlines() if line in place]
    assert kept == sorted(kept)  # in the file's order
    assert len(kept) > 19_000
    assert_trains_the_same(first, tmp_path)


def test_a_file_too_large_or_too_wide_for_the_page_is_named_with_its_command(ask: Ask) -> None:
    large = ask(size=50_000_000)
    assert (large["rule"], large["message"]) == (
        "table_large",
        "'big.csv' has 50 MB, and the page reads 25 MB at most.",
    )
    assert "treino train big.csv" in large["hint"]
    wide = "\n".join(",".join(f"{name}{j}" for j in range(300)) for name in ("a", *"123456789"))
    assert ask(text=wide, options={"file": "wide.csv"})["rule"] == "table_wide"


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("cp1252", b""), ("utf-16-le", b"\xff\xfe"),
     ("utf-16-be", b"\xfe\xff")],
)  # fmt: skip
def test_encodings_are_recognised_as_treino_does(
    ask: Ask, tmp_path: Path, encoding: str, mark: bytes
) -> None:
    content = mark + f"área,b,ç\n{LINES}".replace("b\n", "bé\n").encode(encoding)
    path = tmp_path / "own.csv"
    path.write_bytes(content)
    prepared = ask(bytes=content.hex(), options={"file": "own.csv"}, target="ç")
    assert prepared["features"] == ["área", "b"]
    assert_same(prepared, path, target="ç", data_seed=0)


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04 a workbook", b"a,b\n1,\x00\n", b"<html><body>", b'{"a": 1}\n']
)
def test_files_that_are_no_text_of_cells_are_refused(ask: Ask, content: bytes) -> None:
    refusal = ask(bytes=content.hex(), options={"file": "own.xlsx"})
    assert refusal["rule"] in ("csv_binary", "csv_other")
    assert "treino train own.xlsx" in refusal["hint"]


def test_inputs_that_are_none_are_refused(ask: Ask) -> None:
    for features, rule in (
        ([], "features_none"),
        (["z"], "features_unknown"),
        (["x", "x"], "features_duplicate"),
    ):
        assert ask(problem={"source": "moons", "features": features})["rule"] == rule
    one = "a,c\n" + "\n".join(f"{i},{'xy'[i % 2]}" for i in (3, 1, 4, 5, 9, 2, 6, 8))
    refusal = ask(text=one, options={"file": "own.csv"}, problem={"features": ["a", "xy"]})
    assert refusal["rule"] == "features_unknown"
