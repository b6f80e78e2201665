"""The data source in a folder's documents: where the rows came from, and the arguments of ``load``."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from treino.documents.fields import Document, Many, Seed, Sha256, Task, Text, agree

LoadShare = Annotated[float, Field(ge=0, lt=1)]


class TextFormat(Document):
    """The format of a text file, as far as it was set (``reading``) or detected (``written``)."""

    model_config = ConfigDict(extra="forbid")

    delimiter: Text | None = None
    decimal: Text | None = None
    encoding: Text | None = None
    header: bool | None = None
    quote: Text | None = None
    dates: Text | None = None
    text: Many[Text] = ()
    missing: Many[Text] | None = None
    sheet: Text | None = None


class LoadArguments(Document):
    """The arguments of ``load``. They are passed by name, so no other keys are allowed."""

    model_config = ConfigDict(extra="forbid")

    target: Text | None
    features: Many[Text] | Text | None
    task: Task | None
    validation: LoadShare | None
    test: LoadShare | None
    data_seed: Seed
    normalise: bool
    kinds: dict[Text, Text] = Field({})
    impute: Literal["median", "mean"] = "median"
    inputs: Literal["plain", "bins"] = "plain"
    bins: Annotated[int, Field(ge=2, le=1000)] = 16
    clip_inputs: Annotated[float, Field(gt=0)] | None = None
    split_group: Text | None = None
    split_time: Text | None = None
    split_column: Text | None = None
    fold: Text | None = None
    duplicates: Literal["apart", "ignore"] | None = None
    reading: TextFormat | None = None
    num_workers: Annotated[int, Field(ge=0, le=1024)] = 0


class RowsFile(Document):
    """A file of rows. source: relative to the folder, to any place; read as data if its SHA-256 is this
    one."""

    source: Text
    sha256: Sha256


class DataSource(Document):
    """The source of a run's data. kind: a built-in's name, a file, rows in memory, or a Dataset passed in
    Python."""

    kind: Literal["builtin", "file", "memory", "given"]
    name: Text
    source: Text
    sha256: Sha256 | None
    load: LoadArguments
    written: TextFormat | None = None
    files: dict[Literal["validation", "test"], RowsFile] = Field({})
    digest: Text | None = None
    streams: bool = False

    @model_validator(mode="after")
    def _agrees(self) -> "DataSource":
        return agree(self, {"sha256": (self.kind == "file") == (self.sha256 is not None)})
