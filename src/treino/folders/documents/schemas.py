"""JSON Schemas: of the JSON files in the folders of runs, sweeps and studies, and of what commands print.

They come from the models by which treino itself reads these files. A schema has types and ranges; what values
say about each other (``Document.agreeing``) is checked by treino alone.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import TypeAdapter

from treino.base.document_fields import Count, Document, Many, Plain, Text
from treino.base.errors import Refusal, nearest
from treino.base.words import N_, _
from treino.folders.documents.listing import ListedRun
from treino.folders.documents.paired_runs import PairedRuns
from treino.folders.documents.reading import MODELS
from treino.folders.documents.run_result import RunResult
from treino.folders.documents.sweep import StudyResult, SweepResult
from treino.folders.documents.verification import NAME as VERIFICATION
from treino.folders.documents.verification import VerificationDocument
from treino.inspection.drift import Drift

SCHEMA_UNKNOWN = Refusal("There is no schema {name!r}.", "{hint}")
DIALECT = "https://json-schema.org/draft/2020-12/schema"

# ---- files

FILES: Mapping[str, str] = {
    "spec.json": N_("the settings as typed and with all values, and the data"),
    "result.json": N_("all that was measured"),
    "preparation.json": N_("how a row becomes inputs"),
    "data.json": N_("the copy of rows that were in memory"),
    "asked.json": N_("which networks a sweep made, in which order"),
    "members.parquet": N_("the networks of a sweep, rung by rung: a list of rows"),
    "figures/N.json": N_("the figures of several seeds or folds"),
    VERIFICATION: N_("what a verification found equal"),
}
"""The JSON files of a folder, with what each holds. N: a number."""


# ---- what commands print with --json


class ChangeEntry(Document):
    """Settings that changed while it trained; see ``treino.folders.store.Change``."""

    segment: Count
    step: Count
    settings: dict[Text, Plain]
    sender: Text


class RunOutput(RunResult):
    """A run that has ended. refit: if one was asked for, its path, null if it doesn't predict, and a note."""

    run: Text
    path: Text
    changes: Many[ChangeEntry]
    refit: dict[Literal["path", "note"], Text | None] | None = None


class Unfinished(Document):
    """What is known before the end: the status, and as much of the result as there is."""

    path: Text
    status: Literal["running", "interrupted"]


class UnfinishedRun(Unfinished):
    run: Text


class UnfinishedSweep(Unfinished):
    sweep: Text


class UnfinishedStudy(Unfinished):
    study: Text


class ListedRuns(Document):
    """Runs, sweeps and studies, the newest first. notes: what is left out, and why."""

    runs: Many[ListedRun]
    notes: Many[Text] = ()


class DifferenceOfRuns(Document):
    what: Text
    a: Plain
    b: Plain


class ComparedRuns(Document):
    """Two runs, and in what they differ."""

    a: RunOutput | UnfinishedRun
    b: RunOutput | UnfinishedRun
    differences: Many[DifferenceOfRuns]


class ConfigurationFile(Document):
    """A run as a configuration file."""

    run: Text
    toml: Text


class VerificationOutput(VerificationDocument):
    """path: the file that was written. replaced: files that were there before."""

    path: Text | None
    replaced: Many[Text]


class PairedRunsOutput(PairedRuns):
    """path: the file that was written. replaced: files that were there before."""

    path: Text | None
    replaced: Many[Text]


OF_RUN, OF_SWEEP = RunOutput | UnfinishedRun, SweepResult | UnfinishedSweep
OF_STUDY = StudyResult | UnfinishedStudy
OUTPUTS: Mapping[str, Any] = {
    "compare": PairedRunsOutput,
    "data --like": Drift,
    "train": OF_RUN | OF_SWEEP,
    "sweep": OF_SWEEP,
    "study": OF_STUDY,
    "resume": OF_RUN | OF_SWEEP | OF_STUDY,
    "show": OF_RUN | OF_SWEEP | OF_STUDY | ComparedRuns | ConfigurationFile,
    "runs": ListedRuns,
    "verify": VerificationOutput,
}
"""What these commands print with --json."""


# ---- schemas


def names() -> dict[str, str]:
    """The names of all schemas, with a sentence for each: ``run/spec.json``, or ``preparation.json`` where
    the folders of all kinds have the same, and commands."""
    found: dict[str, str] = {}
    for file, about in FILES.items():
        alike = len(set(MODELS[file].values())) < len(MODELS[file])
        found |= dict.fromkeys([file] if alike else [f"{kind}/{file}" for kind in MODELS[file]], _(about))
    printed = _("what treino {verb} prints as JSON")
    return found | {verb: printed.format(verb=verb) for verb in OUTPUTS}


def _model(name: str) -> Any:
    kind, _slash, file = name.partition("/")
    own = MODELS.get(file, {}).get(kind)
    return OUTPUTS.get(name) or own or next(iter(MODELS[name].values()))


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema of a document.

    Raises:
        TreinoError: no document has this name (with the nearest).
    """
    if name not in (known := names()):
        raise SCHEMA_UNKNOWN(name=name, hint=nearest(name, known))
    return {"$schema": DIALECT, **TypeAdapter(_model(name)).json_schema(), "title": name}
