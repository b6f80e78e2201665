"""``data.json``: the description of a prepared copy of rows that were given in memory."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from treino.documents.data_source import LoadArguments
from treino.documents.fields import Document, Many, Number, Sha256, Size, Task, Text


class DataCopy(Document):
    """The fields of a data set. They are passed by name, so no other keys are allowed."""

    model_config = ConfigDict(extra="forbid")

    name: Text
    source: Text
    sha256: Sha256 | None
    kind: Literal["table", "image"]
    task: Task
    task_reason: Text
    features: Many[Text]
    target: Text
    classes: Many[Text]
    item_shape: Many[Size]
    arguments: LoadArguments
    target_mean: Number
    target_scale: Annotated[float, Field(gt=0)]
    official_test: bool
    notes: Many[Text]
