"""What a run answers to new rows, in each of the tongues in which its preparation is told.

Each answer is a frame with the columns that ``run.predict`` gives a frame, or some of them: ``prediction``,
``probability_CLASS``, ``low``, ``high`` and ``set``, with the target's name behind if there are several.
"""

import io
import json
import runpy
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

import treino as tr
from tests.conftest import Treino
from tests.reports.export.test_onnx import asked
from tests.reports.export_cases import said
from treino.base.errors import TreinoError

Columns = Mapping[str, Sequence[Any]]


class RefusedError(Exception):
    """A tongue refuses the rows, by this message."""


def interpreter(run: tr.Run, frame: pd.DataFrame) -> pd.DataFrame:
    try:
        answers = run.predict(frame)
    except TreinoError as error:
        raise RefusedError(error.message) from None
    assert isinstance(answers, pd.DataFrame)
    return answers


def command(treino: Treino, run: tr.Run, path: Path) -> pd.DataFrame:
    told = treino("predict", run.path, path, "--json")
    if told.status:
        assert (told.status, "Traceback" in told.err) == (2, False), told.err
        raise RefusedError(told.document["error"]["message"])
    return as_frame(told.document["predictions"])


def script(path: Path, rows: Path) -> pd.DataFrame:
    try:
        lines = said(path, "predict", str(rows))
    except SystemExit as stop:
        raise RefusedError(str(stop.code)) from None
    return pd.read_csv(io.StringIO("\n".join(lines)), keep_default_na=False).drop(columns="row")


def onnx_model(path: Path, frame: pd.DataFrame, wanted: Sequence[str]) -> pd.DataFrame:
    """wanted: the names of the columns of answers, by which probabilities get the names of their classes."""
    own: dict[str, Any] = {}
    for output, value in asked(path, frame).items():
        name = output.removesuffix(" (treino)")  # beside a column of that name
        if name.startswith("probabilities"):
            heads = [head for head in wanted if head.startswith(f"probability{name[13:]}_")]
            own |= dict(zip(heads, value.T, strict=True))
        else:
            own[name] = value
    return pd.DataFrame(own)


def as_frame(predictions: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The predictions of a JSON document."""
    rows = []
    for one in predictions:
        row: dict[str, Any] = {}
        for name, own in one["targets"].items() if "targets" in one else [("", one)]:
            end = name and f"_{name}"
            row |= {f"{key}{end}": own[key] for key in ("prediction", "low", "high", "set") if key in own}
            row |= {f"probability{end}_{label}": p for label, p in own.get("probabilities", {}).items()}
        rows.append(row)
    return pd.DataFrame(rows)


# ---- the service


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which the app of an exported folder answers."""
    import uvicorn

    app: Any = runpy.run_path(str(folder / "app.py"))["app"]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/predict"
        finally:
            server.should_exit = True
            thread.join()


def service(address: str, body: bytes, kind: str) -> pd.DataFrame:
    request = urllib.request.Request(address, body, {"content-type": kind})
    try:
        with urllib.request.urlopen(request) as answer:
            return as_frame(json.load(answer)["predictions"])
    except urllib.error.HTTPError as error:
        if error.code != 422:
            raise
        told = json.load(error)["error"]
    raise RefusedError(f"'{told['column']}': {told['message']}")


def as_json(columns: Columns) -> bytes:
    """The rows of a request; dates as ISO 8601 writes them."""
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    return json.dumps(rows, default=lambda cell: cell.isoformat(" ", "minutes")).encode()
