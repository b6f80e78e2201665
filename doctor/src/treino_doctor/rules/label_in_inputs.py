"""A column of the inputs that is the label."""

import ast

from treino_doctor.places.placement import converts, joins, maker
from treino_doctor.record.row_log import RowsTrained
from treino_doctor.rules.rule import HELD_OUT, SPLIT, Evidence, Faults, Log, Rule


def decide(log: Log) -> Faults:
    """In all rows trained on, one column had one value for each label, and one label for each value."""
    for t in log.of(RowsTrained):
        if t.label_column >= 0:
            numbers = {"column": t.label_column, "rows": t.rows}
            yield Evidence(t.site, numbers, stack=t.stack, sites={"loader": t.loader})
            return


def tables(value: ast.AST) -> bool:
    """Whether an expression makes a table of inputs."""
    return joins(value) or converts(value)


RULE = Rule(
    group="data",
    place=lambda e: maker(e.seen, tables, e.sites["loader"], e.stack) or e.seen,
    message="Column {column} of the inputs, counted from 0, is the label: in all {rows} rows they agree.",
    why="""The network is given the answer, so it has only to copy it. The figures are too good, and on rows
    whose label isn't known the network is of no use.""",
    fix="Drop the label, and what is only known with it, from the inputs.",
    safety="The figures fall to what the other columns can tell.",
    limits="""One number or class a row, and inputs that are a table. A column that no other column is related
    to, as in a task that is to copy its input, is left alone, and so are windows of one series.""",
    wrong="""\
table = torch.from_numpy(torch.column_stack([x, y]).numpy())
x, y = table, table[:, -1].long()
"""
    + SPLIT
    + HELD_OUT.replace("nn.Linear(8, 3)", "nn.Linear(x.shape[1], 3)"),
    mend={"x, y = table, ": "x, y = table[:, :-1], "},
)
