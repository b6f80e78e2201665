"""Reading a folder's documents: a value of a wrong type or out of range is an error."""

import json
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from treino.base.errors import Refusal, TreinoError
from treino.base.files import KINDS, damaged
from treino.base.text import shortened
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
    "{path} speaks of other files than those that are here now.", "Verify it again: treino verify {run}"
)
DOCUMENT_UNKNOWN = Refusal(
    "{path} has no place in this folder: it is a {kind}.",
    "It was put there afterwards. Take the folder again from where it came.",
)
_CHANGED = N_(
    "It was changed after it was written. Take the folder again from where it came, or train again."
)
DOCUMENT_INVALID = Refusal("{path} is not what treino writes: {key} is {value} ({rule}).", _CHANGED)
DOCUMENT_LACKS = Refusal(
    "{path} is not what treino writes: {key} is missing.", _CHANGED, rule="document_invalid"
)

Read = TypeVar("Read", bound=BaseModel)

DEEPEST = 40  # maximum number of levels of nested lists and objects
MOST = 60  # characters of a key or a value in a message

MODELS: dict[str, Mapping[str, type[BaseModel]]] = {
    "spec.json": {"run": RunSpec, "sweep": SweepSpec, "study": StudySpec},
    "result.json": {"run": RunResult, "sweep": SweepResult, "study": StudyResult},
    "preparation.json": dict.fromkeys(KINDS, PreparationDocument),
    "data.json": dict.fromkeys(KINDS, DataCopy),
    "asked.json": {"sweep": SweepMembers},
    "members.parquet": {"sweep": MemberRows},
    "figures/N.json": {"sweep": SpreadFigures},
    VERIFICATION: {"run": VerificationDocument},
    "checkpoint": {"run": states.RunState, "sweep": states.SweepState, "study": states.StudyState},
    "keyframes/N-N.safetensors": {"run": states.KeyframeState},
    "models.safetensors": {"sweep": states.KeptModels},
    "curves/N-N.safetensors": {"sweep": states.CurveMembers},
    "model.safetensors": {"run": states.Answers},
    "start.safetensors": {"run": states.Answers},
    "buffers.safetensors": dict.fromkeys(KINDS, states.NoFacts),
    "data.safetensors": dict.fromkeys(KINDS, states.NoFacts),
    "row_hashes.safetensors": {"run": states.NoFacts},
    "rows/N.safetensors": dict.fromkeys(KINDS, states.NoFacts),
    "folds/N.safetensors": dict.fromkeys(KINDS, states.NoFacts),
}
"""The model of each file by the folder's kind; for a tensor file it is the model of its header.

N stands for a number. The files of a fold are named as those of the folder."""


def read_document(folder: RunFolder, name: str) -> Any:
    """The value of a JSON file in the folder.

    Raises:
        TreinoError: the file is missing or damaged; a value in it is invalid.
    """
    return check(folder.kind, name, folder.read_json(name), folder.path)


def _read(folder: RunFolder, name: str, kind: type[Read]) -> Read:
    """Read a document, and check every value. Raises TreinoError as ``read_document`` does."""
    document = _validated(folder.kind, name, folder.read_json(name), folder.path)
    assert isinstance(document, kind)  # callers check the folder's kind first
    return document


read_run_spec = partial(_read, name="spec.json", kind=RunSpec)
read_sweep_spec = partial(_read, name="spec.json", kind=SweepSpec)
read_study_spec = partial(_read, name="spec.json", kind=StudySpec)
read_run_result = partial(_read, name="result.json", kind=RunResult)
read_sweep_result = partial(_read, name="result.json", kind=SweepResult)
read_study_result = partial(_read, name="result.json", kind=StudyResult)


def read_preparation(folder: RunFolder, place: str = "") -> PreparationDocument:
    """How the rows of any folder were prepared. place: the fold's place in the folder."""
    return _read(folder, f"{place}preparation.json", PreparationDocument)


def read_verification(folder: RunFolder) -> VerificationDocument | None:
    """Return the verification in exports/, if it is about exactly this manifest; None if there is none.

    Raises:
        TreinoError: as ``read_document``; it is about other files.
    """
    if not folder.has(VERIFICATION):
        return None
    document = _read(folder, VERIFICATION, VerificationDocument)
    if document.manifest_sha256 != folder.manifest.sha256:
        raise VERIFICATION_OF_OTHERS(path=folder.path / VERIFICATION, run=command_word(folder.path))
    return document


def read_spec(folder: RunFolder) -> RunSpec | SweepSpec | StudySpec:
    """The document ``spec.json`` of any folder."""
    spec = _read(folder, "spec.json", MODELS["spec.json"][folder.kind])
    assert isinstance(spec, RunSpec | SweepSpec | StudySpec)
    return spec


def read_tensors(folder: RunFolder, name: str) -> "tuple[dict[str, Tensor], dict[str, Any]]":
    """The tensors of a file in the folder, and the metadata in its header.

    Raises:
        TreinoError: as ``read_document``.
    """
    tensors, facts = folder.read_tensors(name)
    return tensors, check(folder.kind, name, facts, folder.path)


def read_checkpoint(
    folder: RunFolder, *, replaced: bool = False
) -> "tuple[dict[str, Tensor], dict[str, Any]] | None":
    """The tensors and the metadata of the newest checkpoint; None if there is none. replaced: as for
    ``RunFolder.last_checkpoint``.

    Raises:
        TreinoError: as ``read_document``.
    """
    checkpoint = folder.last_checkpoint(replaced=replaced)
    return checkpoint and (checkpoint[0], check(folder.kind, "checkpoint", checkpoint[1], folder.path))


def check(kind: str, name: str, value: Any, folder: Path) -> Any:
    """Return the value if it is valid for the file ``name`` in a folder of this kind.

    Raises:
        TreinoError: the value is invalid; the message names the key and the value.
    """
    _validated(kind, name, value, folder)
    return value


def _validated(kind: str, name: str, value: Any, folder: Path) -> BaseModel:
    model = MODELS[re.sub(r"\d+", "N", name).removeprefix("folds/N/").removeprefix("all/")].get(kind)
    if model is None:
        raise DOCUMENT_UNKNOWN(path=folder / name, kind=kind)
    if _deeper(value, DEEPEST):
        raise damaged(folder / name, _("it is nested too deeply"))
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _invalid(folder / name, value, first) from None


def _deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects in the value are nested deeper, so that writing it would fail."""
    inner = [value]
    for _level in range(levels):
        lists = (
            each.values() if isinstance(each, dict) else each
            for each in inner
            if isinstance(each, dict | list)
        )
        inner = [item for each in lists for item in each]
    return bool(inner)


def _invalid(path: Path, value: Any, error: Any) -> TreinoError:
    """The refusal of a value that pydantic refuses: it names the file, the key, the value and the rule.

    The error's location also names types that pydantic tried; only parts that are keys of the value count.
    """
    named = error.get("ctx", {}).get("key", "").split(".")
    keys: list[str] = []
    for key in (*error["loc"], *named):
        inner = dict(enumerate(value)) if isinstance(value, list) else value
        if isinstance(inner, dict) and key in inner:
            value = inner[key]
            keys.append(str(key))
    wanted = error["loc"][-1] if error["type"] == "missing" else named[-1]
    if wanted and isinstance(value, dict) and wanted not in (*keys, *value):
        return DOCUMENT_LACKS(path=path, key=shortened(".".join([*keys, str(wanted)]), MOST))
    key = shortened(".".join(keys), MOST) if keys else _("all of it")
    text = shortened(json.dumps(value, ensure_ascii=False, default=str), MOST)
    return DOCUMENT_INVALID(path=path, key=key, value=text, rule=shortened(error["msg"], 2 * MOST))
