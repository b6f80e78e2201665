"""Findings as SARIF 2.1.0, which GitHub's code scanning and editors read."""

import hashlib
import json
import linecache
import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from treino_doctor import __version__
from treino_doctor.base.words import _
from treino_doctor.cells import cell_of, line_name
from treino_doctor.finding import Finding
from treino_doctor.output.report import sentence_of
from treino_doctor.output.rules_page import section, unfilled
from treino_doctor.rules import rules
from treino_doctor.rules.rule import Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT = "%SRCROOT%"
LEVELS = {"wrong": "error", "risk": "warning", "waste": "note"}
TOOL = "treino-doctor"


def sarif(findings: Sequence[Finding], folder: Path, defects: Sequence[str] = ()) -> dict[str, Any]:
    """The document. folder: where the command was run; places are relative to its repository. defects: the
    doctor's own."""
    root = repository(folder)
    every = rules()
    numbers = {rule: number for number, rule in enumerate(every)}
    counts: Counter[str] = Counter()
    listed = [_rule(rule) for rule in every.values()]
    run = {
        "tool": {"driver": {"name": TOOL, "semanticVersion": __version__, "rules": listed}},
        "originalUriBaseIds": {ROOT: {"uri": f"{root.as_uri()}/"}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(f, numbers[f.rule], root, counts) for f in findings],
    }
    if defects:
        said = [{"level": "error", "message": {"text": sentence_of(defect)}} for defect in defects]
        run["invocations"] = [{"executionSuccessful": True, "toolExecutionNotifications": said}]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def repository(folder: Path) -> Path:
    """The root of the Git repository around a folder, else the folder itself."""
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)


def _rule(rule: Rule) -> dict[str, Any]:
    why, fix = unfilled(_(rule.why)), unfilled(_(rule.fix))
    return {
        "id": rule.id,
        "name": rule.id.title().replace("_", ""),
        "shortDescription": {"text": rule.id.replace("_", " ").capitalize()},
        "fullDescription": {"text": why},
        "help": {"text": f"{why}\n{_('To do: {fix}').format(fix=fix)}", "markdown": section(rule)},
        "defaultConfiguration": {"level": LEVELS[rule.severity] if rule.certain else "warning"},
        "properties": {
            "precision": "very-high" if rule.certain else "medium",
            "problem.severity": "recommendation" if rule.severity == "waste" else LEVELS[rule.severity],
            "tags": ["pytorch", rule.group],
        },
    }


def _result(finding: Finding, index: int, root: Path, counts: Counter[str]) -> dict[str, Any]:
    level = LEVELS[finding.severity]
    if not finding.certain and level == "error":
        level = "warning"
    text = f"{finding.message} {finding.why}\n{_('To do: {fix}').format(fix=finding.fix)}"
    result: dict[str, Any] = {"ruleId": finding.rule, "ruleIndex": index, "level": level}
    result["message"] = {"text": text}
    if finding.file is None:
        return result
    line = finding.line or 1
    in_cell = cell_of(finding.file, line)
    if in_cell is not None:
        result["message"] = {"text": f"{line_name(finding.file, line)}: {text}"}
    uri = address(finding.file, root)
    written = linecache.getline(finding.file, line).strip()
    mark = hashlib.sha256("\0".join((finding.rule, uri["uri"], written)).encode()).hexdigest()[:16]
    counts[mark] += 1
    region = {"startLine": line if in_cell is None else _line_in_notebook(finding.file, line)}
    result["locations"] = [{"physicalLocation": {"artifactLocation": uri, "region": region}}]
    result["partialFingerprints"] = {"primaryLocationLineHash": f"{mark}:{counts[mark]}"}
    return result


def _line_in_notebook(path: str, line: int) -> int:
    """The line of a notebook's file that holds this line of its code; 1 if one line holds several."""
    lines = [text.strip() for text in linecache.getlines(path)]
    written = lines[line - 1]
    with open(path, encoding="utf-8") as file:
        same = [number for number, text in enumerate(file, 1) if _in_json(text) == written]
    rank = lines[:line].count(written)
    return same[rank - 1] if rank <= len(same) else 1


def _in_json(text: str) -> str | None:
    """The text of a line that is one JSON string."""
    with suppress(ValueError):
        value = json.loads(text.strip().removesuffix(","))
        return value.strip() if isinstance(value, str) else None
    return None


def address(path: str, root: Path) -> dict[str, str]:
    """The address of a file, relative to the repository if it lies in there."""
    near = os.path.relpath(os.path.realpath(path), os.path.realpath(root))
    if near.startswith(os.pardir):
        return {"uri": Path(os.path.abspath(path)).as_uri()}
    return {"uri": quote(Path(near).as_posix()), "uriBaseId": ROOT}
