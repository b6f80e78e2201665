"""A run in service: the latency of one row and the rows a second, against FastAPI with the same model."""

import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd

import treino as tr
from benchmarks.result import Result, Table
from benchmarks.timing import budget, for_seconds, interleaved, microseconds, ratio, wall
from treino.reports.export.formats import exported

ROWS, NUMBERS, NAMES = 2000, 12, 4
MANY = 1000  # rows of a large request
LIMIT = 1.5
PEER = """
from typing import Any

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import create_model

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession("model.onnx", options)
kinds = {each.name: str if each.type == "tensor(string)" else float for each in session.get_inputs()}
Row = create_model("Row", **{name: (kind, ...) for name, kind in kinds.items()})
app = FastAPI()


@app.post("/predict")
def predict(rows: list[Row]) -> list[dict[str, Any]]:
    inputs = {
        name: np.array([getattr(row, name) for row in rows], object if kind is str else float)
        for name, kind in kinds.items()
    }
    said, shares = session.run(["prediction", "probabilities"], inputs)
    pairs = zip(said.tolist(), shares.tolist(), strict=True)
    return [{"prediction": one, "probabilities": share} for one, share in pairs]
"""


def table() -> pd.DataFrame:
    """Numbers and names, of which some decide the class."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"x{k}": rng.normal(size=ROWS).round(3) for k in range(NUMBERS)})
    for k in range(NAMES):
        frame[f"c{k}"] = rng.choice([f"name {n}" for n in range(8)], ROWS)
    frame["y"] = np.where(frame["x0"] + frame["x1"] > 0, "yes, it is", "no")
    return frame


@contextmanager
def served(folder: Path, module: str) -> Iterator[http.client.HTTPConnection]:
    """A connection to an app that uvicorn serves in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "uvicorn", f"{module}:app", "--port", str(port), "--log-level", "warning"]
    words += ["--timeout-keep-alive", "600"]  # while the others have their turn
    process = subprocess.Popen(words, cwd=folder)
    try:
        for _try in range(600):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection
        connection.close()
    finally:
        process.kill()
        process.wait()


def asks(connection: http.client.HTTPConnection, body: bytes, kind: str, rows: int) -> Callable[[], float]:
    """A call that sends the body and reads the answer."""

    def call() -> float:
        connection.request("POST", "/predict", body, {"content-type": kind})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(content[:500])
        return rows

    return call


def inputs_of(session: onnxruntime.InferenceSession, rows: list[dict[str, Any]]) -> Mapping[str, Any]:
    """The rows as the model takes them."""
    words = {each.name: each.type == "tensor(string)" for each in session.get_inputs()}
    return {n: np.array([row[n] for row in rows], object if w else float) for n, w in words.items()}


def run(quick: bool) -> Result:
    rounds, seconds = (2, 0.3) if quick else (9, 2.0)
    frame, rows, figures = table(), [], {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        frame.to_csv(path := Path(name) / "t.csv", index=False)
        trained = tr.fit(path, target="y", epochs=3, parent=Path(name) / "runs")
        folder = exported(trained, "service").paths[0]
        (folder / "peer.py").write_text(PEER)
        ours, peer = (stack.enter_context(served(folder, module)) for module in ("app", "peer"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
        for count in (1, MANY):
            some = frame.drop(columns="y").head(count)
            records = some.to_dict("records")
            body, text = json.dumps(records).encode(), some.to_csv(index=False).encode()
            inputs = inputs_of(session, records)
            works = {
                "onnxruntime": lambda n=count, given=inputs: n * bool(session.run(None, given)),
                "FastAPI": asks(peer, body, "application/json", count),
                "JSON": asks(ours, body, "application/json", count),
                "CSV": asks(ours, text, "text/csv", count),
            }
            found = interleaved({name: for_seconds(seconds, work) for name, work in works.items()}, rounds)
            for way in works:
                each = wall(found, way)
                times = ratio(found, way, "FastAPI")
                kept = budget(times, LIMIT, at_most=True) if way == "JSON" else ("", "")
                cells = (microseconds(each * count), f"{1 / each:,.0f}", f"{times:.2f}", *kept)
                rows.append(
                    (f"{count:,}", way if way in ("onnxruntime", "FastAPI") else f"treino, {way}", *cells)
                )
            figures[f"rows_{count}"] = round(ratio(found, "JSON", "FastAPI"), 2)
    columns = ("rows a request", "way", "µs a request", "rows a second", "times FastAPI", "budget", "kept")
    return Result(
        (Table("A run in service", columns, tuple(rows)),),
        f"A table of {NUMBERS} numbers and {NAMES} columns of 8 names, two classes, the usual recipe (an "
        "ensemble). One client sends requests one after the other over a lasting connection; uvicorn in a "
        "process of its own. FastAPI: the same ONNX model behind a list of pydantic models, which reads no "
        "dates, decimal commas or words for nothing and counts no gaps. onnxruntime: the model alone, with "
        f"columns ready. Median of {rounds} interleaved rounds of {seconds:g} s.",
        ("Several clients at once, and several processes (uvicorn --workers).",),
        ("FastAPI https://fastapi.tiangolo.com", "ONNX Runtime https://onnxruntime.ai"),
        figures,
    )
