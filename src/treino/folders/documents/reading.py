"""Reading a folder's documents: a value of a wrong type or out of range is an error."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from treino.base.document_fields import shortened
from treino.base.errors import Refusal, TreinoError
from treino.base.files import damaged
from treino.base.words import N_, _
from treino.data.documents import DataCopy, PreparationDocument
from treino.folders.documents import states
from treino.folders.documents.run_result import RunResult
from treino.folders.documents.run_spec import RunSpec
from treino.folders.documents.sweep import (
    MemberRows,
    SpreadFigures,
    StudyResult,
    StudySpec,
    SweepMembers,
    SweepResult,
    SweepSpec,
)
from treino.folders.documents.verification import NAME as VERIFICATION
from treino.folders.documents.verification import VerificationDocument
from treino.folders.store import RunFolder
from treino.folders.store.new_names import command_word

if TYPE_CHECKING:
    from torch import Tensor

VERIFICATION_OF_OTHERS = Refusal(
    "verification_of_others",
    N_("{path} speaks of other files than those that are here now."),
    N_("Verify it again: treino verify {run}"),
)
DOCUMENT_UNKNOWN = Refusal(
    "document_unknown",
    N_("{path} has no place in this folder: it is a {kind}."),
    N_("It was put there afterwards. Take the folder again from where it came."),
)

Read = TypeVar("Read", bound=BaseModel)

DEEPEST = 40  # maximum number of levels of nested lists and objects

MODELS: dict[str, Mapping[str, type[BaseModel]]] = {
    r"spec\.json": {"run": RunSpec, "sweep": SweepSpec, "study": StudySpec},
    r"result\.json": {"run": RunResult, "sweep": SweepResult, "study": StudyResult},
    r"(folds/\d+/)?preparation\.json": dict.fromkeys(("run", "sweep", "study"), PreparationDocument),
    r"(folds/\d+/)?data\.json": dict.fromkeys(("run", "sweep", "study"), DataCopy),
    r"asked\.json": {"sweep": SweepMembers},
    r"members\.parquet": {"sweep": MemberRows},
    r"figures/\d+\.json": {"sweep": SpreadFigures},
    r"exports/verification\.json": {"run": VerificationDocument},
    r"checkpoint": {"run": states.RunState, "sweep": states.SweepState, "study": states.StudyState},
    r"keyframes/\d+-\d+\.safetensors": {"run": states.KeyframeState},
    r"models\.safetensors": {"sweep": states.KeptModels},
    r"curves/\d+-\d+\.safetensors": {"sweep": states.CurveMembers},
    r"(model|start)\.safetensors": {"run": states.Answers},
    r"(buffers|(folds/\d+/)?data|(rows|folds)/\d+)\.safetensors": dict.fromkeys(
        ("run", "sweep", "study"), states.NoFacts
    ),
}
"""The model of each file by the folder's kind; for a tensor file it is the model of its header."""


def read_document(folder: RunFolder, name: str) -> Any:
    """The value of a JSON file in the folder.

    Raises:
        TreinoError: the file is missing or damaged; a value in it is invalid.
    """
    return check(folder.kind, name, folder.read_json(name), folder.path)


def read_run_spec(folder: RunFolder) -> RunSpec:
    """``spec.json`` of a run.

    Raises:
        TreinoError: as ``read_document``; the folder is of another kind.
    """
    return _read(folder, "spec.json", RunSpec)


def read_sweep_spec(folder: RunFolder) -> SweepSpec:
    """``spec.json`` of a sweep; see ``read_run_spec``."""
    return _read(folder, "spec.json", SweepSpec)


def read_study_spec(folder: RunFolder) -> StudySpec:
    """``spec.json`` of a study; see ``read_run_spec``."""
    return _read(folder, "spec.json", StudySpec)


def read_run_result(folder: RunFolder) -> RunResult:
    """``result.json`` of a run; see ``read_run_spec``."""
    return _read(folder, "result.json", RunResult)


def read_sweep_result(folder: RunFolder) -> SweepResult:
    """``result.json`` of a sweep; see ``read_run_spec``."""
    return _read(folder, "result.json", SweepResult)


def read_study_result(folder: RunFolder) -> StudyResult:
    """``result.json`` of a study; see ``read_run_spec``."""
    return _read(folder, "result.json", StudyResult)


def read_preparation(folder: RunFolder, place: str = "") -> PreparationDocument:
    """``preparation.json`` of any folder; see ``read_run_spec``. place: that of a fold, in the folder."""
    return _read(folder, f"{place}preparation.json", PreparationDocument)


def read_verification(folder: RunFolder) -> VerificationDocument | None:
    """What lies in exports/ about a verification of exactly this manifest; None if nothing does.

    Raises:
        TreinoError: as ``read_document``; it speaks of other files.
    """
    if not folder.has(VERIFICATION):
        return None
    document = _read(folder, VERIFICATION, VerificationDocument)
    if document.manifest_sha256 != folder.manifest.sha256:
        raise VERIFICATION_OF_OTHERS(path=folder.path / VERIFICATION, run=command_word(folder.path))
    return document


def read_spec(folder: RunFolder) -> RunSpec | SweepSpec | StudySpec:
    """``spec.json`` of any folder; see ``read_run_spec``."""
    if folder.kind == "sweep":
        return read_sweep_spec(folder)
    return read_study_spec(folder) if folder.kind == "study" else read_run_spec(folder)


def _read(folder: RunFolder, name: str, kind: type[Read]) -> Read:
    document = _validated(folder.kind, name, folder.read_json(name), folder.path)
    assert isinstance(document, kind)  # callers check the folder's kind first
    return document


def read_tensors(folder: RunFolder, name: str) -> "tuple[dict[str, Tensor], dict[str, Any]]":
    """The tensors of a file in the folder, and the metadata in its header.

    Raises:
        TreinoError: as ``read_document``.
    """
    tensors, facts = folder.read_tensors(name)
    return tensors, check(folder.kind, name, facts, folder.path)


def read_checkpoint(folder: RunFolder) -> "tuple[dict[str, Tensor], dict[str, Any]] | None":
    """The tensors and the metadata of the newest checkpoint; None if there is none.

    Raises:
        TreinoError: as ``read_document``.
    """
    checkpoint = folder.last_checkpoint()
    return checkpoint and (checkpoint[0], check(folder.kind, "checkpoint", checkpoint[1], folder.path))


def check(kind: str, name: str, value: Any, folder: Path) -> Any:
    """Return the value if it is valid for the file ``name`` in a folder of this kind.

    Raises:
        TreinoError: the value is invalid; the message names the key and the value.
    """
    _validated(kind, name, value, folder)
    return value


def _validated(kind: str, name: str, value: Any, folder: Path) -> BaseModel:
    model = next(models for pattern, models in MODELS.items() if re.fullmatch(pattern, name)).get(kind)
    if model is None:
        raise DOCUMENT_UNKNOWN(path=folder / name, kind=kind)
    if _deeper(value, DEEPEST):
        raise damaged(folder / name, _("it is nested too deeply"))
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _invalid(
            folder / name, value, error.errors(include_url=False, include_input=False)[0]
        ) from None


def _deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects in the value have more levels, with which writing it would fail."""
    inner = [value]
    while inner and levels:
        inner = [
            item
            for each in inner
            if isinstance(each, dict | list)
            for item in (each.values() if isinstance(each, dict) else each)
        ]
        levels -= 1
    return bool(inner)


def _invalid(path: Path, value: Any, error: Any) -> TreinoError:
    """The TreinoError for an error of pydantic. The error's location also names types that pydantic tried;
    only the parts that are keys of the value are used."""
    named = str(error.get("ctx", {}).get("error", "")).split(".")
    place = [*error["loc"], *named]
    keys: list[str] = []
    for key in place:
        if key in (
            value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        ):
            value = value[key]
            keys.append(str(key))
    absent = isinstance(value, dict) and re.fullmatch(r"\w+", named[-1]) and named[-1] not in value
    if error["type"] == "missing" or absent:
        message = _("{path} is not what treino writes: {key} is missing.").format(
            path=path, key=shortened(".".join([*keys, str(named[-1] if absent else error["loc"][-1])]))
        )
    else:
        message = _("{path} is not what treino writes: {key} is {value}.").format(
            path=path,
            key=shortened(".".join(keys)) if keys else _("all of it"),
            value=shortened(json.dumps(value, ensure_ascii=False, default=str)),
        )
    hint = _("It was changed after it was written. Take the folder again from where it came, or train again.")
    return TreinoError("document_invalid", message, hint)
