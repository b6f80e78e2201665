"""A trained network as a web service: rows as JSON or CSV in, predictions out.

All that it needs lies beside it: model.onnx prepares the columns and predicts, service.json says what the
columns hold, and requirements.txt lists the packages. Start it with ``python app.py``, or by any ASGI server
that ends half-sent requests: ``app:app``.

From the environment: TREINO_TOKEN is asked of each request (``Authorization: Bearer TOKEN``); without it only
this machine is answered. TREINO_MOST_ROWS and TREINO_MOST_BYTES limit a request.
"""

import argparse
import asyncio
import csv
import hmac
import json
import math
import os
import re
import socket
import sys
import threading
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import uvicorn
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from treino.base.connections import BoundedConnection
from treino.data import (
    DateForm,
    NumberForm,
    digit_order,
    form_of,
    level_codes,
    missing,
    number,
    plain,
    second_of,
    truth_of,
    value_of,
)
from treino.inspection import class_sets, sorted_sets
from treino_service.environment import BYTES, ROWS, VariableError, is_loopback, limit, secret
from treino_service.request_rows import (
    Cell,
    Columns,
    RequestError,
    Rows,
    bad_cell,
    csv_rows,
    json_rows,
    shortened,
    text_of,
)

HERE = Path(__file__).parent
TIMES = "date", "time"
AT_ONCE = 500  # rows: the counts of all terms of a text take half a megabyte for each
BODY_SECONDS = 60.0


# ---- cells


class Column:
    """A column that the model takes: how its cells are read, as the training rows were written."""

    def __init__(self, about: Mapping[str, Any], reading: Mapping[str, Any], text: bool) -> None:
        """text: whether the model takes words, and no numbers."""
        self.name, self.kind, self.levels = about["name"], about["kind"], tuple(about["levels"])
        self.required, self.reading, self.text = about["required"], reading, text
        self.nothing = {*reading["missing"]}
        if text and self.name in reading["text"]:
            self.nothing.clear()

    def read(self, cells: Sequence[Cell]) -> tuple[NDArray[Any], int, int]:
        """The model's input ``[N]``, and how many cells are missing, or are classes that no training row
        had."""
        kinds = {*map(type, cells)}
        for row, cell in enumerate(cells) if kinds & {dict, list} else ():
            if isinstance(cell, dict | list):
                raise bad_cell("feature_nested", self.name, row, cell, "a single value")
        if self.text or self.kind == "category":
            return self._classes(cells)
        if kinds <= {int, float} and self.kind == "number" and not self.nothing:
            value_N = np.array([*map(_float, cells)])
        else:
            present = {row: cell for row, cell in enumerate(cells) if not self._absent(cell)}
            value_of_row = self._seconds(present) if self.kind in TIMES else self._numbers(present)
            value_N = np.full(len(cells), np.nan)
            value_N[list(value_of_row)] = list(value_of_row.values())
        absent_N = np.isnan(value_N)
        absent = int(absent_N.sum())
        if np.isinf(value_N).any():
            row = int(np.isinf(value_N).argmax())
            raise bad_cell("feature_infinite", self.name, row, cells[row], "a finite number")
        if absent and self.required:
            row = int(absent_N.argmax())
            raise bad_cell("feature_empty", self.name, row, cells[row], "a value")
        return value_N, absent, 0

    def _absent(self, cell: Cell) -> bool:
        if isinstance(cell, str):
            return missing(cell) or cell.strip() in self.nothing
        return cell is None or bool(cell != cell)  # NaN, in a frame

    def _classes(self, cells: Sequence[Cell]) -> tuple[NDArray[Any], int, int]:
        word_N = np.array([self._word(cell) for cell in cells], dtype=object)
        code_N = level_codes(self.levels, word_N)
        known_N = code_N >= 0
        if self.levels:
            word_N[known_N] = np.array(self.levels, dtype=object)[code_N[known_N]]
        absent_N = np.asarray(word_N == "", dtype=bool)
        new = int((~known_N & ~absent_N).sum()) if self.levels else 0
        if self.text:
            return word_N, int(absent_N.sum()), new
        sign = self.reading["decimal"]
        values = [math.nan if word == "" else number(word.replace(sign, ".")) for word in word_N]
        unknown = [math.inf if value is None else value for value in values]  # no class of the model
        return np.array(unknown, dtype=np.float64), int(absent_N.sum()), new

    def _word(self, cell: Cell) -> str:
        """A cell as the name of a class; "" for a missing one."""
        if isinstance(cell, str):
            word = unicodedata.normalize("NFC", cell.strip())
            return "" if word in self.nothing or (not self.text and missing(word)) else word
        if cell is None or cell != cell:
            return ""
        if isinstance(cell, int):  # as it is written; a truth value is one, too
            return str(cell).lower()
        return plain(cell)

    def _numbers(self, cells: Mapping[int, Cell]) -> dict[int, float]:
        """The numbers of these rows' cells; truth values are 1 and 0, where the training rows held these."""
        if self.kind == "boolean":
            return {row: self._truth(row, cell) for row, cell in cells.items()}
        words = {row: str(cell).strip() for row, cell in cells.items() if isinstance(cell, bool | str)}
        values = {row: _float(cell) for row, cell in cells.items() if row not in words}
        comma, affixes = self.reading["decimal"] == ",", set[object]()
        for row, word in words.items():
            cell = cells[row]
            value = None if comma else number(word)
            if value is None:
                form = form_of(word)
                if not isinstance(form, NumberForm):
                    raise bad_cell("feature_text", self.name, row, cell, "a number")
                affixes.add(form.affix)
                if len(affixes) > 1 or not (form.comma if comma else form.point):
                    wanted = f"a number with a decimal {'comma' if comma else 'point'}, as in all rows,"
                    raise bad_cell("feature_number", self.name, row, cell, wanted)
                if form.lone and form.commas != comma and self.name not in self.reading["grouped"]:
                    raise bad_cell("decimal_open", self.name, row, cell, "a number without thousands")
                value = value_of(word, form, comma)
            values[row] = value
        nothing = {*map(number, self.nothing)}
        return {row: math.nan if value in nothing else value for row, value in values.items()}

    def _truth(self, row: int, cell: Cell) -> float:
        value = truth_of(str(cell))
        if value is None:
            raise bad_cell("feature_truth", self.name, row, cell, "true or false")
        return value

    def _seconds(self, cells: Mapping[int, Cell]) -> dict[int, float]:
        """The seconds since 1970, or since midnight, of these rows' cells."""
        wanted = "a time of day such as 09:30" if self.kind == "time" else "a date such as 2024-12-31"
        values: dict[int, float] = {}
        keys, times = set[object](), set[object]()
        for row, cell in cells.items():
            form = form_of(cell) if isinstance(cell, str) else None
            second = None
            if isinstance(form, DateForm) and form.clock == (self.kind == "time"):
                dates = self.reading["dates"]
                keys.add(form.key)
                times |= {form.time} if form.time[0] else set()
                if not form.open or dates is not None:
                    order = "" if form.clock else digit_order(form, dates == "day/month", dates)
                    second = second_of(cell.strip(), form.pattern, order, form.order.startswith("short"))
            if second is None:
                raise bad_cell("feature_date", self.name, row, cell, wanted)
            if len(keys) > 1 or len(times) > 1:
                raise bad_cell("feature_date", self.name, row, cell, f"{wanted}, as in the other rows,")
            values[row] = second
        return values


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


# ---- the model


class Model:
    """The network in a folder, its columns, and what is known of it."""

    def __init__(self, folder: Path) -> None:
        self.about: dict[str, Any] = json.loads((folder / "service.json").read_text("utf-8"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # requests are answered side by side
        options.log_severity_level = 3
        model = str(folder / "model.onnx")
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        words = {each.name: each.type == "tensor(string)" for each in self.session.get_inputs()}
        reading, columns = self.about["reading"], self.about["columns"]
        self.columns = [Column(each, reading, words[each["name"]]) for each in columns]
        self.most_rows = limit(ROWS)

    def given(self, content: bytes, kind: str) -> Rows:
        """The rows of a request. kind: its content type."""
        rows = Rows([column.name for column in self.columns], self.most_rows)
        if kind == "application/json":
            json_rows(text_of(content, "json", "JSON"), rows)
        elif kind == "text/csv":
            signs = filter(None, (self.about["reading"]["delimiter"], *",;\t|"))
            csv_rows(text_of(content, "csv", "text"), [*signs], rows)
        else:
            raise RequestError(415, "content_type", "Send rows as application/json or text/csv, in UTF-8.")
        return rows

    def predict(self, given: Columns) -> list[dict[str, Any]]:
        """The predictions alone, of a pandas frame: what MLflow calls."""
        predictions: list[dict[str, Any]] = self.answer(given, len(given))["predictions"]
        return predictions

    def answer(self, given: Columns, rows: int, others: Iterable[str] = ()) -> dict[str, Any]:
        """The predictions of rows, in the form that ``treino predict --json`` has. others: names of columns
        that were left out."""
        if not rows:
            raise RequestError(422, "rows_none", "There is no row to predict.")
        lacking = [column.name for column in self.columns if column.name not in given]
        if lacking:
            message = (
                f"{len(lacking)} of {len(self.columns)} columns are missing: {', '.join(lacking)[:200]}."
            )
            raise RequestError(422, "columns_missing", message, column=lacking[0])
        inputs, gaps, unknown = {}, dict[str, int](), dict[str, int]()
        for column in self.columns:
            inputs[column.name], gaps[column.name], unknown[column.name] = column.read(given[column.name])
        return {
            "rows": rows,
            "predictions": self._predictions(inputs),
            "missing": {name: n for name, n in gaps.items() if n},
            "unknown": {name: n for name, n in unknown.items() if n},
            "unused": [name for name in others if name not in self.about["others"]],
        }

    def _predictions(self, inputs: dict[str, NDArray[Any]]) -> list[dict[str, Any]]:
        names = [each.name for each in self.session.get_outputs()]
        outputs: list[dict[str, NDArray[Any]]] = []
        rows = max(map(len, inputs.values()))
        pieces = [
            self.session.run(names, {name: cells[at : at + AT_ONCE] for name, cells in inputs.items()})
            for at in range(0, max(1, rows), AT_ONCE)
        ]
        for name, piece in zip(names, zip(*pieces, strict=True), strict=True):
            output = np.concatenate(piece)
            known = ("prediction", "probabilities", "low", "high")  # quantiles are of one target alone
            what = next((w for w in known if name.startswith(w)), name)
            if what == "prediction":  # the next target's outputs begin
                outputs.append({})
            outputs[-1][what] = output
        targets = self.about["targets"]
        each = [_of_target(about, own) for about, own in zip(targets, outputs, strict=True)]
        if len(each) == 1:
            return [{"row": row} | one for row, one in enumerate(each[0])]
        named = [
            dict(zip([about["name"] for about in targets], one, strict=True))
            for one in zip(*each, strict=True)
        ]
        return [{"row": row, "targets": one} for row, one in enumerate(named)]


def _of_target(about: Mapping[str, Any], output: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """The prediction of each row for one target; null where the network's output is not finite."""
    values = output["prediction"].tolist()
    if not about["classes"]:
        rows = [{"prediction": _finite(value)} for value in values]
        for name in [name for name in output if name != "prediction"]:
            for row, end in zip(rows, output[name].tolist(), strict=True):
                row[name] = _finite(end)
        return rows
    p_NC = output["probabilities"].astype(np.float64)
    known_N = [all(map(math.isfinite, share_C)) for share_C in p_NC.tolist()]
    classes = about["classes"]
    answers: list[dict[str, Any]] = []
    for value, share_C, known in zip(values, p_NC.tolist(), known_N, strict=True):
        shares = dict(zip(classes, map(_finite, share_C), strict=True))
        answers.append({"prediction": value if known else None, "probabilities": shares})
    if "quantile" in about:
        sets = sorted_sets(class_sets(p_NC, about["quantile"]), p_NC)
        for answer, some, known in zip(answers, sets, known_N, strict=True):
            answer |= {"set": [classes[c] for c in some]} if known else {}
    return answers


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _load_pyfunc(path: str) -> Model:
    """What MLflow calls with the folder of a logged model."""
    return Model(Path(path))


# ---- the addresses

Endpoint = Callable[[Request], Awaitable[Response]]


def service(folder: Path) -> Starlette:
    """The ASGI app of the model in a folder.

    Raises:
        VariableError: a variable of the environment can't be obeyed.
    """
    token, most, model = secret(), limit(BYTES), Model(folder)
    openapi = json.loads((folder / "openapi.json").read_text("utf-8"))
    csv.field_size_limit(most)
    at_once = threading.Semaphore(max(2, os.cpu_count() or 1))  # a body takes many times its bytes when read

    def answered(content: bytes, kind: str) -> dict[str, Any]:
        with at_once:
            rows = model.given(content, kind)
            return model.answer(rows.columns, rows.count, rows.others)

    async def predict(request: Request) -> Response:
        kind = _body_type(request)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                content = await _body(request, most)
            return JSONResponse(await run_in_threadpool(answered, content, kind))
        except TimeoutError:
            message = f"The body has to arrive within {BODY_SECONDS:.0f} seconds."
            raise RequestError(408, "body_late", message) from None
        except asyncio.CancelledError:  # which uvicorn would call an error of the app
            raise RequestError(503, "service_ended", "The service ends.") from None

    def document(content: Any) -> Endpoint:
        async def answer(_request: Request) -> Response:
            return JSONResponse(content)

        return answer

    routes = [
        Route("/predict", _guarded(predict, token), methods=["POST"]),
        Route("/metadata", _guarded(document(model.about["metadata"]), token)),
        Route("/health", document({"status": "ok"})),
        Route("/openapi.json", document(openapi)),
    ]
    handlers: Any = {RequestError: _refused, ClientDisconnect: _left}
    return Starlette(routes=routes, exception_handlers=handlers)


def _body_type(request: Request) -> str:
    """The content type of a request.

    Raises:
        RequestError: its body is packed, or its text is in another encoding than UTF-8.
    """
    packed = ", ".join(request.headers.getlist("content-encoding")).strip().lower()
    if packed not in ("", "identity"):
        message = f"The body is packed ({shortened(packed)}). Send it without Content-Encoding."
        raise RequestError(415, "content_encoding", message)
    kind, _sign, more = request.headers.get("content-type", "").lower().partition(";")
    charset = re.search(r"""charset\s*=\s*["']?([^"';\s]*)""", more)
    if charset is not None and charset[1] not in ("utf-8", "utf8", "us-ascii", "ascii"):
        message = f"The body is in {shortened(charset[1])}. Send it in UTF-8."
        raise RequestError(415, "content_charset", message)
    return kind.strip()


async def _body(request: Request, most: int) -> bytes:
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > most:
            message = f"A request may have {most} bytes. Send fewer rows."
            raise RequestError(413, "too_many_bytes", message)
    return bytes(content)


def _guarded(endpoint: Endpoint, token: bytes) -> Endpoint:
    """The endpoint for those who have the token; without one, for this machine."""

    async def checked(request: Request) -> Response:
        sent = request.headers.get("authorization", "").encode("latin-1")
        if token and not hmac.compare_digest(sent, b"Bearer " + token):
            raise RequestError(401, "token", "Send the token of the service: Authorization: Bearer TOKEN.")
        client = request.client.host if request.client else "localhost"  # without one: a file's socket
        if not token and not (is_loopback(client) and is_loopback(_host(request))):
            raise RequestError(421, "host", "Without TREINO_TOKEN the service answers this machine alone.")
        return await endpoint(request)

    return checked


_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?")


def _host(request: Request) -> str:
    """The name that a request asks for, as any name may be made to point here; "" if its header Host is
    missing, comes twice or is none."""
    hosts = request.headers.getlist("host")
    match = _HOST.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
    return (match[1] or match[2]) if match else ""


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return JSONResponse(
        error.document, error.status, {"connection": "close"} if error.status == 408 else None
    )


async def _left(_request: Request, _error: Exception) -> Response:
    """Nobody gets this answer: the client went before its request was whole."""
    return Response(status_code=400)


def server(app: Starlette) -> uvicorn.Server:
    """What answers who connects: ``server(app).run([listening])``, until Ctrl-C."""
    http: Any = BoundedConnection
    config = uvicorn.Config(app, http=http, ws="none", log_level="warning", timeout_graceful_shutdown=10)
    return uvicorn.Server(config)


def main() -> None:
    """What ``python app.py`` does."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on: 0.0.0.0 for the whole network"
    )
    parser.add_argument("--port", type=int, default=8000)
    words = parser.parse_args()
    family = socket.AF_INET6 if ":" in words.host else socket.AF_INET
    with socket.create_server((words.host, words.port), family=family) as listening:
        server(app).run([listening])


if (HERE / "service.json").exists():
    try:
        app = service(HERE)
    except VariableError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    if __name__ == "__main__":
        main()
