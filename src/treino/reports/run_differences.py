"""The settings and figures in which two runs differ."""

from typing import Any

from treino.documents import read_document
from treino.records.stored_run import StoredRun


def differences(a: StoredRun, b: StoredRun) -> list[dict[str, Any]]:
    """``{what, a, b}`` for the data, every setting and every figure in which the runs differ."""
    one, two = _flat(a), _flat(b)
    names = [*one, *(k for k in two if k not in one)]
    return [{"what": n, "a": one.get(n), "b": two.get(n)} for n in names if one.get(n) != two.get(n)]


def _flat(run: StoredRun) -> dict[str, Any]:
    d, data = run.document, read_document(run.folder, "spec.json")["data"]
    flat = {"data": data["name"], "data_sha256": data["sha256"], **d.get("settings", {})}
    for key in ("status", "steps", "epochs", "kept_epoch", "parameters"):
        flat[key] = d.get(key)
    for split, metrics in (d.get("metrics") or {}).items():
        flat |= {f"{split} {name}": value for name, value in (metrics or {}).items()}
    return flat
