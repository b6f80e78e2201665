"""What ``treino rows --json`` prints, as types: ``treino schema rows``."""

from treino.base.document_fields import Count, Many, Plain, Seconds, Text
from treino.folders import Written


class RowsOutput(Written):
    """suspects, hard: numbers of rows. rows: the table of all rows, by its columns. of: the rows that push a
    prediction. without_suspects: training with the suspected rows compared with training without them."""

    data: Text
    target: Text
    networks: Count
    steps: Count
    seconds: Seconds
    suspects: Many[Count]
    hard: Many[Count]
    equal_across_splits: Count
    equal_with_other_label: Count
    rows: dict[Text, Many[Plain]]
    notes: Many[Text]
    of: dict[Text, Plain] | None = None
    without_suspects: dict[Text, Plain] | None = None
