"""The service answers as ``treino predict`` does, and says which column is at fault."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.quick_ends import _quick_ends  # noqa: F401

import treino as tr
from treino.base.errors import TreinoError
from treino.folders.prediction import predict
from treino.reports.export.formats import exported

pytest.importorskip("onnxruntime")
ROWS = 240
KINDS = {"street": "hashed", "words": "text"}


def table() -> pd.DataFrame:
    """A column of each kind, as a Brazilian program writes them, with gaps."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"area": rng.normal(80, 20, ROWS).round(2)})
    frame["rent"] = [f"R$ {1000 + 9 * n}".replace("R$ 1", "R$ 1.") + ",50" for n in range(ROWS)]
    frame["city"] = rng.choice(["Rio", "São Paulo", "NA"], ROWS)
    frame["owned"] = rng.choice(["sim", "não"], ROWS)
    frame["day"] = pd.date_range("2023-01-01", periods=ROWS).strftime("%d/%m/%Y")
    frame["hour"] = [f"{h:02}:{m:02}" for h, m in rng.integers(0, [24, 60], (ROWS, 2))]
    frame["floor"] = rng.integers(0, 9, ROWS).astype(object)
    frame.loc[::7, "floor"] = ""
    frame["street"] = [f"street {n}" for n in rng.integers(0, 60, ROWS)]
    words = [f"{n} {w}" for n in ("quiet", "Noisy,", "new") for w in ("street", "são joão", "flat!")]
    frame["words"] = [" ".join(rng.choice(words, n)) for n in rng.integers(1, 9, ROWS)]
    frame["price"] = (frame["area"] * 3 + rng.normal(0, 9, ROWS)).round(2)
    frame["dear"] = np.where(frame["price"] > 240, "yes, dear", "no")
    return frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tables and runs that learnt from them."""
    folder = tmp_path_factory.mktemp("served")
    for name, others in ("price", ["dear"]), ("dear", ["price"]), ("dear,price", []):
        if others:
            table().drop(columns=others).to_csv(folder / f"{name}.csv", index=False, sep=";", decimal=",")
    common: dict[str, Any] = {"parent": folder / "runs", "epochs": 3}
    tr.fit(folder / "price.csv", target="price", name="price", ensemble=2, kinds=KINDS, **common)
    tr.fit(
        folder / "dear.csv", target="dear", name="dear", coverage=0.9, kinds={"floor": "category"}, **common
    )
    tr.fit(folder / "dear.csv", target="dear", name="again", coverage=0.9, refit=True, **common)
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(80, 3)), rng.normal(size=(80, 2))
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c d": x[:, 2], "u": y[:, 0] + x[:, 0], "v": y[:, 1]})
    frame.to_csv(folder / "both.csv", index=False)
    tr.fit(folder / "both.csv", target="u,v", name="both", recipe="plain", **common)
    return folder


def opened(folder: Path, name: str) -> Any:
    return tr.open(folder / "runs" / name)


def module_of(path: Path) -> ModuleType:
    """The module in an exported file."""
    spec = spec_from_file_location("app", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def client(folder: Path, name: str) -> TestClient:
    """A client of the service in a folder that is written for it."""
    service = exported(opened(folder, name), "service").paths[0]
    module: Any = module_of(service / "app.py")
    module.AT_ONCE = 100  # the rows are answered in pieces, as many rows are
    return TestClient(module.app, "http://localhost", client=("127.0.0.1", 1))


@pytest.fixture(scope="module")
def price(folder: Path) -> TestClient:
    return client(folder, "price")


ROW = {
    "area": 80,
    "rent": "R$ 1.200,50",
    "city": "Rio",
    "owned": True,
    "day": "2023-05-01",
    "hour": "9:30",
    "floor": 3,
    "street": "street 3",
    "words": "A quiet  STREET",
}


def sent(served: TestClient, body: Any, kind: str = "application/json") -> Any:
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    return served.post("/predict", content=content, headers={"content-type": kind})


def alike(ours: Any, theirs: Any) -> None:
    """The same keys and words, and numbers within 1e-5."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for key, value in theirs.items():
            alike(ours[key], value)
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-5)
    else:
        assert ours == theirs


def as_predicted(answer: Any, run: Any, path: Path) -> None:
    document = predict(run, path).to_json()
    assert answer.status_code == 200, answer.text
    for ours, theirs in zip(answer.json()["predictions"], document["predictions"], strict=True):
        alike(ours, theirs)
    assert {name: answer.json()[name] for name in ("missing", "unknown")} == {
        name: document[name] for name in ("missing", "unknown")
    }


@pytest.mark.parametrize("name", ["price", "dear", "again", "both"])
def test_the_file_s_rows_are_answered_as_predict_answers_them(name: str, folder: Path) -> None:
    served = client(folder, name)
    path = folder / f"{name}.csv".replace("again", "dear")
    assert served.get("/metadata").json()["refit"].startswith("Its refit predicts" if name == "again" else "")
    as_predicted(sent(served, path.read_bytes(), "text/csv; charset=utf-8"), opened(folder, name), path)
    schema = served.get("/openapi.json").json()
    example = schema["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
    answer = sent(served, example)
    lines = folder / f"{name}-example.jsonl"
    lines.write_text(json.dumps(example[0], ensure_ascii=False) + "\n")
    as_predicted(answer, opened(folder, name), lines)
    parts = {"components": schema["components"]}
    jsonschema.validate(example[0], parts | schema["components"]["schemas"]["Row"])
    jsonschema.validate(answer.json(), parts | schema["components"]["schemas"]["Answer"])


def refused(answer: Any, status: int, rule: str = "", column: str = "") -> None:
    error = answer.json()["error"]
    assert (answer.status_code, error["rule"] if rule else "") == (status, rule), answer.text
    assert error.get("column", "") == column
    assert len(error["message"]) < 400


FAULTS = {
    "area": [
        "eighty",
        "12.5.6",
        "1.234",
        True,
        "yes",
        "n",
        "TRUE",
        "2023-01-01",
        10**400,
        "inf",
        [1],
        {"a": 1},
    ],
    "rent": ["1.200.50", "US$ 5 R$", "free"],
    "owned": ["maybe", "2023-01-01", 5, 0.5, "2"],
    "day": ["2023-02-30", "31.31.2023", 5, True, "soon", "25:00", "13/13/2023", ["2023-01-01"]],
    "hour": ["25:00", "09:61", 9.5, "2023-01-01 09:30"],
}


@pytest.mark.parametrize("column", FAULTS)
def test_the_column_at_fault_is_named(column: str, price: TestClient) -> None:
    for cell in FAULTS[column]:
        answer = sent(price, [ROW, ROW | {column: cell}])
        refused(sent(price, ROW | {column: cell}), 422, column=column)
        refused(answer, 422, column=column)
        assert answer.json()["error"]["row"] == 1
        assert answer.json()["error"]["value"] in f"{str(cell)[:59]}…"
    lacking = {name: cell for name, cell in ROW.items() if name != column}
    refused(sent(price, lacking), 422, "columns_missing", column)


def test_a_body_that_is_none_is_refused(price: TestClient) -> None:
    for body in "", "[1]", "[[1]]", "null", "3", '"a"', "[]", '{"rows": []}', "[" * 100_000:
        assert sent(price, body).status_code in (400, 422), body
    for body in b"\xff\xfe", b'{"area": "\\ud800"}', b"{'a': 1}":
        assert sent(price, body).status_code == 400
    for body in b"", b"\n\n", b"area;area\n1;2\n", b"area\n1\n", b"a,b\n1\n", b"\xe9", b'a\n"b', b"a\n1\x00":
        assert sent(price, body, "text/csv").status_code in (400, 422), body
    for kind in "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x":
        refused(sent(price, ROW, kind), 415, "content_type")
    assert price.get("/predict").status_code == 405
    assert price.get("/nothing").status_code == 404


def test_more_is_said_of_rows_that_are_answered(price: TestClient) -> None:
    answer = sent(
        price, {"rows": [ROW | {"more": 1, "dear": 1, "floor": None}, ROW | {"city": "Paris", "area": "NA"}]}
    )
    assert {name: answer.json()[name] for name in ("rows", "missing", "unknown", "unused")} == {
        "rows": 2,
        "missing": {"area": 1, "floor": 1},
        "unknown": {"city": 1},
        "unused": ["more", "dear"],
    }
    text = io.StringIO()
    for sign in ",;\t|":
        writer = csv.DictWriter(text := io.StringIO(), [*ROW], delimiter=sign)
        writer.writeheader()
        writer.writerow(ROW | {"owned": "sim"})
        same = sent(price, text.getvalue().encode("utf-8-sig"), "text/csv")
        assert same.json()["predictions"] == sent(price, ROW).json()["predictions"]


def test_what_it_is_stands_in_its_metadata(price: TestClient, folder: Path) -> None:
    about, run = price.get("/metadata").json(), opened(folder, "price")
    assert (about["run"], about["treino"], about["metrics"]) == ("price", tr.__version__, run.metrics)
    kinds = ["number", "number", "category", "boolean", "date", "time", "number", "category", "text"]
    assert [(column["name"], column["kind"]) for column in about["columns"]] == [
        *zip(ROW, kinds, strict=True)
    ]
    assert about["targets"] == [{"name": "price", "classes": []}]
    assert price.get("/health").json() == {"status": "ok"}


def test_limits_are_those_of_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TREINO_MOST_ROWS", "3")
    monkeypatch.setenv("TREINO_MOST_BYTES", "700")
    served = client(folder, "price")
    assert sent(served, [ROW] * 3).status_code == 200
    refused(sent(served, json.dumps([ROW] * 4, separators=(",", ":"))), 413, "too_many_rows")
    refused(sent(served, [ROW | {"more": "x" * 700}]), 413, "too_many_bytes")


def test_without_a_token_this_machine_alone_is_answered(
    price: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for host in "example.org", "127.0.0.1.example.org", "10.0.0.1":
        refused(price.post("/predict", json=ROW, headers={"host": host}), 421, "host")
        assert price.get("/health", headers={"host": host}).status_code == 200
    away = TestClient(price.app, "http://localhost", client=("10.0.0.2", 1))
    refused(away.post("/predict", json=ROW), 421, "host")
    monkeypatch.setenv("TREINO_TOKEN", "secrét")
    price = client(folder, "price")
    for sent_token in None, "", "Bearer", "Bearer secret", "secrét":
        headers = {} if sent_token is None else {"authorization": sent_token.encode()}
        refused(price.post("/predict", json=ROW, headers=headers), 401, "token")
        refused(price.get("/metadata", headers=headers), 401, "token")
    headers = {"authorization": "Bearer secrét".encode(), "host": "example.org"}
    assert price.post("/predict", json=ROW, headers=headers).status_code == 200


def test_twenty_at_once_are_answered_as_one(price: TestClient, folder: Path) -> None:
    rows = [ROW | {"area": 60 + n} for n in range(20)]
    alone = [sent(price, row).json() for row in rows]
    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(lambda row: sent(price, row).json(), rows)) == alone


NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.decimals(-9999, 9999, places=2).map(str),
    st.decimals(-9999, 9999, places=3).map(lambda d: str(d).replace(".", ",")),
    st.sampled_from(
        ["1.234,5", "1,234.5", "(3,5)", "3-", "−4", "+5", "R$ 3,50", "R$-3", "5%", "1e3", "1.234"]
    ),
)
TEXTS = st.one_of(
    st.sampled_from(["", "NA", "n/a", "-", "sim", "não", "TRUE", "1", "0", "yes"]), st.text(max_size=5)
)
CELLS = {
    "area": NUMBERS | TEXTS,
    "rent": NUMBERS | TEXTS,
    "city": TEXTS | st.sampled_from(["Rio", " Rio ", "São Paulo", "rio"]),
    "owned": TEXTS,
    "day": st.dates().map(str)
    | st.datetimes().map(lambda d: d.strftime("%d/%m/%Y %H:%M"))
    | st.sampled_from(
        ["03/04/2023", "3 de maio de 2023", "1/5/23", "20230501", "2023-05-01T10:00Z", "May 3, 2023"]
    )
    | TEXTS,
    "hour": st.times().map(str) | st.sampled_from(["9h30", "9:30 pm", "24:00"]) | TEXTS,
    "floor": NUMBERS | TEXTS,
    "street": TEXTS | st.sampled_from(["street 4", " street 5 ", "Street 4"]),
    "words": TEXTS | st.text(max_size=40) | st.sampled_from(["quiet street!", " NEW\tflat", "sÃo joão"]),
}


def rows_of(cells: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows of which a few cells are drawn; the others are usual ones."""
    usual = {name: str(cell).replace("True", "sim") for name, cell in ROW.items()}
    row = st.fixed_dictionaries({}, optional=cells).map(lambda some: usual | dict(list(some.items())[:2]))
    return st.lists(row, min_size=1, max_size=4)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows_of(CELLS))
@example(rows=[{name: str(cell) for name, cell in ROW.items()} | {"owned": "1", "area": "1,5"}])
def test_what_is_answered_is_what_predict_answers(
    rows: list[dict[str, Any]], price: TestClient, folder: Path, tmp_path: Path
) -> None:
    """In drawn notations; what the service refuses, it says of one column."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*ROW], delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    path = tmp_path / "rows.csv"
    path.write_bytes(content := text.getvalue().encode())
    answer = sent(price, content, "text/csv")
    if answer.status_code == 200:
        as_predicted(answer, opened(folder, "price"), path)
    else:
        assert answer.status_code in (400, 422)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=60)
    | ANY
    | st.dictionaries(st.sampled_from([*ROW]), ANY).map(lambda own: ROW | own)
)
def test_any_body_has_an_answer(body: Any, price: TestClient) -> None:
    for kind in "application/json", "text/csv":
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = sent(price, content, kind)
        assert answer.status_code in (200, 400, 422)
        document = answer.json()
        if answer.status_code != 200:
            assert document["error"].keys() <= {"rule", "message", "column", "row", "value"}


def test_pictures_are_refused(folder: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (30, 6, 6)).astype(np.uint8)
    run = tr.fit((images, rng.integers(0, 2, 30)), epochs=1, parent=folder / "runs", net="mlp")
    with pytest.raises(TreinoError) as caught:
        exported(run, "service")
    assert caught.value.rule == "service_of_pictures"
