"""JSON Schemas: of the JSON files in the folders of runs, sweeps and studies, and of what commands print.

They come from the models by which treino itself reads these files. A schema has types and ranges; what values
say about each other (``Document.agreeing``) is checked by treino alone.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from treino.base.apps import brought, entries, installed
from treino.base.document_fields import (
    Count,
    Document,
    Figure,
    Figures,
    Many,
    Number,
    Plain,
    Text,
)
from treino.base.errors import Refusal, nearest
from treino.base.words import N_, _
from treino.data.preparation.row_weights import WeightsDescription
from treino.data.summaries.description import ColumnDescription
from treino.data.table import DataWarning
from treino.folders.documents.listing import ListedRun
from treino.folders.documents.paired_runs import PairedRuns
from treino.folders.documents.reading import MODELS
from treino.folders.documents.run_result import RunResult
from treino.folders.documents.run_spec import Finding
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


class Written(Document):
    """path: the file that was written, null if none was asked for. replaced: files that were there before."""

    path: Text | None
    replaced: Many[Text]


class VerificationOutput(VerificationDocument, Written):
    """What a verification found."""


class PairedRunsOutput(PairedRuns, Written):
    """Two runs judged on the same rows."""


Problem = dict[Literal["rule", "message", "hint"], Text]


class WrittenReport(Written):
    """errors: defects for which parts are left out; error: the first of them."""

    path: Text
    error: Problem | None = None
    errors: Many[Problem] = ()


class WrittenPictures(Document):
    """paths: the files that were written. errors: why others could not be drawn; error: the first of them."""

    paths: Many[Text]
    replaced: Many[Text]
    error: Problem | None = None
    errors: Many[Problem] = ()


class ExportedFiles(Document):
    """held: what the files hold of the training data. rows, difference: on how many rows the file was
    compared with the run, and the largest difference of an answer."""

    path: Text
    paths: Many[Text]
    held: Many[Text]
    rows: Count | None = None
    difference: Figure = None


class DataSets(Document):
    """packages: data sets that installed packages bring, with the package's name."""

    builtins: Many[dict[Text, Count | Text]]
    packages: dict[Text, Text]


class DescribedData(Document):
    """See ``treino.data.summaries.description.TableDescription``."""

    name: Text
    source: Text
    rows: Count
    columns: Many[ColumnDescription]
    target: Text | None
    task: Text | None
    task_reason: Text | None
    classes: Many[Text]
    class_rows: Many[Count]
    rows_without_target: Count
    likely_targets: Many[Text]
    notes: Many[Text]
    warnings: Many[DataWarning]
    row_weights: WeightsDescription | None = None
    images: dict[Text, Plain] | None = None


class PredictedRow(Document):
    """One row. prediction, probabilities, low, high, set, file, quantile_…, deviation: as far as task, data
    and loss have them; targets: the same for each target, if there are several."""

    row: Count | Text
    prediction: Plain = None
    targets: dict[Text, dict[Text, Plain]] | None = None


class PredictionOutput(Written):
    """predictions: left out where a file has them. missing, unknown: cells of each column without a value, or
    with a class that no training row had. metrics: on the rows whose target is known."""

    rows: Count
    predictions: Many[PredictedRow] = ()
    notes: Many[Text]
    missing: dict[Text, Count]
    unknown: dict[Text, Count]
    metrics: Figures | None = None
    rows_compared: Count | None = None
    training_rows: Count | None = None


class FoundFault(Finding):
    model_config = ConfigDict(extra="allow")


class Examination(Document):
    """What the doctor found in a script, a run or the installation. overhead: the estimated share of the
    script's time that recording took. exit: the exit status."""

    subject: Text
    steps: Count
    findings: Many[FoundFault]
    overhead: Number
    exit: int


class SchemaNames(Document):
    schemas: Many[dict[Literal["name", "about"], Text]]


class JsonSchema(Document):
    dialect: Text = Field(alias="$schema")
    title: Text


OF_RUN, OF_SWEEP = RunOutput | UnfinishedRun, SweepResult | UnfinishedSweep
OF_STUDY = StudyResult | UnfinishedStudy
OUTPUTS: Mapping[str, Any] = {
    "compare": PairedRunsOutput,
    "data": DataSets | DescribedData,
    "data --like": Drift,
    "doctor": Examination,
    "export": ExportedFiles,
    "plot": WrittenPictures,
    "predict": PredictionOutput,
    "report": WrittenReport,
    "schema": SchemaNames | JsonSchema,
    "train": OF_RUN | OF_SWEEP,
    "sweep": OF_SWEEP,
    "study": OF_STUDY,
    "resume": OF_RUN | OF_SWEEP | OF_STUDY,
    "show": OF_RUN | OF_SWEEP | OF_STUDY | ComparedRuns | ConfigurationFile,
    "runs": ListedRuns,
    "verify": VerificationOutput,
}
"""What the core's commands print with --json."""


# ---- schemas


def outputs() -> list[str]:
    """The commands whose document has a schema: the core's, and those of installed apps."""
    return [*OUTPUTS, *filter(installed, entries("treino.schemas"))]


def names() -> dict[str, str]:
    """The names of all schemas, with a sentence for each: ``run/spec.json``, or ``preparation.json`` where
    the folders of all kinds have the same, and commands."""
    found: dict[str, str] = {}
    for file, about in FILES.items():
        alike = len(set(MODELS[file].values())) < len(MODELS[file])
        found |= dict.fromkeys([file] if alike else [f"{kind}/{file}" for kind in MODELS[file]], _(about))
    printed = _("what treino {verb} prints as JSON")
    return found | {verb: printed.format(verb=verb) for verb in outputs()}


def _model(name: str) -> Any:
    kind, _slash, file = name.partition("/")
    own = MODELS.get(file, {}).get(kind)
    if name in entries("treino.schemas"):
        return brought("treino.schemas", name)
    return OUTPUTS.get(name) or own or next(iter(MODELS[name].values()))


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema of a document.

    Raises:
        TreinoError: no document has this name (with the nearest).
    """
    if name not in (known := names()):
        raise SCHEMA_UNKNOWN(name=name, hint=nearest(name, known))
    return {"$schema": DIALECT, **TypeAdapter(_model(name)).json_schema(), "title": name}
