"""Classes of sixteen and more digits keep each digit, at every door."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient
from tests.quick_ends import _quick_ends  # noqa: F401

import treino as tr
from apps.service.tests.test_service import module_of
from treino.folders.prediction import predict
from treino.reports.export.formats import exported
from treino.sklearn import Classifier

ort = pytest.importorskip("onnxruntime")
ROWS = 120
NUMBERS = {
    "beside 2^53": [2**53 + 1, 2**53 + 3, 2**53 + 5],
    "of 19 digits": [9223372036854775801, 9223372036854775803, 1234567890123456789],
    "of 20 digits": [12345678901234567890, 12345678901234567891, 99999999999999999999],
    "negative": [-(2**53) - 1, -(2**53) - 3, 7],
    "of 16 digits": [1234567890123456, 9999999999999998, 9999999999999999],
}
KINDS = {"code": "category", "shop": "hashed"}


@pytest.mark.slow
@pytest.mark.parametrize("case", NUMBERS)
def test_every_door_tells_them_apart(case: str, tmp_path: Path) -> None:
    numbers, rng = NUMBERS[case], np.random.default_rng(0)
    place_N = rng.integers(0, 3, ROWS)
    rows = [
        {"code": numbers[p], "z": float(z), "shop": numbers[-1] - 2 * int(k)}
        for p, z, k in zip(place_N, rng.normal(size=ROWS).round(3), rng.integers(0, 40, ROWS), strict=True)
    ]
    labelled = [row | {"label": row["code"]} for row in rows]
    path, lines = tmp_path / "t.csv", tmp_path / "t.jsonl"
    pd.DataFrame(labelled).to_csv(path, index=False)
    lines.write_text("".join(f"{json.dumps(row)}\n" for row in labelled))
    common: dict[str, Any] = {"task": "classification", "kinds": KINDS, "epochs": 20, "lr": 0.02}
    run = tr.fit(path, target="label", name="run", parent=tmp_path / "runs", recipe="plain", **common)
    wanted = [str(row["code"]) for row in rows]
    assert set(run.spec.classes) == set(wanted)
    document = predict(run, path).to_json()
    assert [one["prediction"] for one in document["predictions"]] == wanted
    assert predict(run, lines).to_json() == document
    assert [*map(str, run.predict(pd.DataFrame(rows))["prediction"])] == wanted
    near = [rows[0] | {"code": numbers[0] - 1}]  # the same float64 as a class
    (tmp_path / "near.jsonl").write_text(json.dumps(near[0]))
    assert predict(run, tmp_path / "near.jsonl").unknown == {"code": 1}

    session = ort.InferenceSession(str(exported(run, "onnx").paths[0]))
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == list(run.spec.classes)
    cells: dict[str, Any] = {}
    for each in session.get_inputs():
        text = "string" in each.type
        own = [str(row[each.name]) if text else float(row[each.name]) for row in rows]
        cells[each.name] = np.array(own, object if text else None)
    assert session.run(["prediction"], cells)[0].tolist() == wanted

    service = exported(run, "service").paths[0]
    served = TestClient(module_of(service / "app.py").app, "http://localhost", client=("127.0.0.1", 1))
    texts = [{name: str(cell) for name, cell in row.items()} for row in rows]
    for body in rows, texts:
        answer = served.post("/predict", json=body).json()
        assert [one["prediction"] for one in answer["predictions"]] == wanted
        assert answer["unknown"] == {}
    assert served.post("/predict", json=near).json()["unknown"] == {"code": 1}
    example = json.loads((service / "service.json").read_text())["example"]
    assert served.post("/predict", json=example).json()["unknown"] == {}

    pd.DataFrame(rows).to_csv(tmp_path / "new.csv", index=False)
    script = [sys.executable, str(exported(run, "script").paths[0]), "predict", str(tmp_path / "new.csv")]
    printed = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    assert [row["prediction"] for row in csv.DictReader(io.StringIO(printed))] == wanted

    fits = all(-(2**63) <= number < 2**63 for number in numbers)  # longer ones: as text, for scikit-learn
    labels = [row["code"] for row in rows] if fits else wanted
    model = Classifier(kinds=KINDS, epochs=20, lr=0.02, recipe="plain").fit(pd.DataFrame(rows), labels)
    assert [*map(str, model.predict(pd.DataFrame(rows)))] == wanted
    assert {*map(str, model.classes_)} == {*wanted}
