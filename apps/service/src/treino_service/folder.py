"""``treino export --format service``: the folder of a service, with the model and the app that answers."""

import ast
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from treino.base import connections
from treino.base.errors import Refusal
from treino.data import cell_forms, digit_order, level_codes, plain_cells
from treino.folders import StoredRun, coverage_scores, reading_of
from treino.inspection import class_sets, sorted_sets
from treino.reports.export.folding import copied
from treino.reports.export.formats import FORMATS, Exported
from treino_service import environment, request_rows

SERVICE_OF_PICTURES = Refusal(
    "A service takes rows of a table, and {run} learnt from other data.", "Use [[format=onnx]]."
)

HERE = Path(__file__).parent
PACKAGES = "numpy", "onnxruntime", "starlette", "uvicorn"
KINDS = {"number": "number", "seconds": "date", "word": "category", "length": "text"}
MOST_LISTED = 100  # classes of a column or a target that the descriptions list


def service(run: StoredRun) -> Exported:
    """Write ``exports/NAME-service/``: what answers as ``treino predict`` does, without treino.

    Raises:
        TreinoError: the run learnt from pictures or arrays with axes; what the format onnx refuses.
    """
    run = run.refit or run
    if not run.preparation.programs:
        raise SERVICE_OF_PICTURES(run=run.name)
    model = FORMATS["onnx"](run)
    about = service_document(run)
    row = json.dumps(about["example"], ensure_ascii=False, indent=1)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    files = {
        "app.py": app_source(),
        "service.json": json.dumps(about, ensure_ascii=False),
        "openapi.json": json.dumps(openapi(about), ensure_ascii=False, indent=1),
        "requirements.txt": "".join(f"{name}=={version(name)}\n" for name in PACKAGES),
        "Dockerfile": (HERE / "parts/Dockerfile").read_text("utf-8").replace("PYTHON", python),
        "example.sh": (HERE / "parts/example.sh").read_text("utf-8").replace("ROWS", row),
    }
    place = f"exports/{model.paths[0].stem}-service"
    run.folder.write_bytes(f"{place}/model.onnx", model.paths[0].read_bytes())
    for name, text in files.items():
        run.folder.write_bytes(f"{place}/{name}", text.encode())
    return model._replace(paths=(run.folder.path / place,))


def service_document(run: StoredRun) -> dict[str, Any]:
    """``service.json``: how cells are read, what the outputs mean, an example, and what /metadata says.

    Of the training rows it has the names of classes and the values that fill gaps, and no row.
    """
    reading, preparation, judged = reading_of(run), run.preparation, run.judged or run
    written = reading.like or reading
    columns, example = [], {}
    for program in preparation.programs:
        name, levels, fill = program.column, program.levels, program.fill
        kind = "time" if program.clock else KINDS[program.measure]
        if reading.wanted.get(name) == "truth" and kind == "number":
            kind = "boolean"
        numeric = kind == "number" or program.numeric
        column: dict[str, Any] = {"name": name, "kind": kind, "levels": levels, "required": program.required}
        column["type"] = "boolean" if kind == "boolean" else "number" if numeric else "string"
        columns.append(column)
        example[name] = _example(column, fill or 0.0)
    targets: list[dict[str, Any]] = []
    for one in judged.by_target:
        known = coverage_scores(one) if one.spec.classes else None
        # an infinite quantile rules out no class, and neither does 2: scores are sums of probabilities
        quantile = {} if known is None else {"quantile": min(known.scores.quantile(known.level), 2.0)}
        targets.append({"name": one.preparation.target, "classes": one.spec.classes, **quantile})
    return {
        "columns": columns,
        "targets": targets,
        "others": [*(one["name"] for one in targets), preparation.row_weights],
        "reading": {
            "delimiter": reading.delimiter or written.delimiter,
            "decimal": reading.decimal or written.decimal or ".",
            "dates": reading.dates or written.dates,
            "missing": reading.missing or (),
            "text": reading.text,
            "grouped": written.grouped,
        },
        "example": example,
        "metadata": {
            "run": run.name,
            "trained": run.folder.manifest.created,
            "exported": datetime.now(UTC).isoformat(timespec="seconds"),
            "treino": version("treino"),
            "rows": judged.document["rows"],
            "refit": judged.refit_note,
            "targets": [dict(one, classes=one["classes"][:MOST_LISTED]) for one in targets],
            "columns": [{name: one[name] for name in ("name", "kind", "type")} for one in columns],
            "metrics": judged.metrics,
            "intervals": judged.document["intervals"],
        },
    }


def _example(column: Mapping[str, Any], fill: float) -> str | float | bool:
    """A cell of an example row: a class, or the value that fills gaps."""
    if column["kind"] == "date":
        return datetime.fromtimestamp(fill, UTC).strftime("%Y-%m-%d")
    if column["kind"] == "time":
        return "09:30"
    if column["levels"]:
        level: str = next(filter(None, column["levels"]), "")
        return float(level) if column["type"] == "number" else level
    if column["type"] == "string":
        return "text"
    return bool(fill) if column["type"] == "boolean" else round(fill, 6)


def openapi(about: Mapping[str, Any]) -> dict[str, Any]:
    """``openapi.json``: the addresses, and what a row of these columns holds."""
    document: dict[str, Any] = json.loads((HERE / "parts/openapi.json").read_text("utf-8"))
    document["info"] = {"title": about["metadata"]["run"], "version": about["metadata"]["exported"]}
    content = document["paths"]["/predict"]["post"]["requestBody"]["content"]
    content["application/json"]["example"] = [about["example"]]
    row = document["components"]["schemas"]["Row"]
    for column in about["columns"]:
        own = {"type": list(dict.fromkeys([column["type"], "string", "null"])), "description": column["kind"]}
        row["properties"][column["name"]] = own
        if column["levels"]:
            own["examples"] = column["levels"][:MOST_LISTED]
    row["required"] = list(row["properties"])
    return document


def app_source() -> str:
    """``app.py`` with the modules that it reads cells by, whole, in place of their imports."""
    packed = cell_forms, plain_cells, connections, environment, request_rows
    there = vars(cell_forms) | vars(plain_cells)
    functions = copied([digit_order, level_codes, class_sets, sorted_sets])
    needed = [text for name, text in functions.items() if name not in there]
    bodies = ["# ---- how treino reads cells", "N_ = str", *map(_body, packed), *needed]
    head, mark, rest = _without_imports(HERE / "app.py").partition("\nHERE = ")
    return "\n\n".join([head.rstrip(), *bodies, mark + rest])


def _body(module: ModuleType) -> str:
    """A module's source without its first sentence, and without what it imports of treino."""
    return _without_imports(Path(str(module.__file__))).partition('"""\n')[2].strip()


def _without_imports(path: Path) -> str:
    source = path.read_text("utf-8")
    own = [
        range(node.lineno, (node.end_lineno or 0) + 1)
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("treino")
    ]
    lines = enumerate(source.splitlines(keepends=True), 1)
    return "".join(line for number, line in lines if not any(number in place for place in own))
