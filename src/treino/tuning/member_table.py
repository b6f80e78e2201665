"""The table of a sweep: a row for each member at each rung, as Parquet; no figure of test rows is in it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from treino.search.space import Config

NAME = "members.parquet"

Key = tuple[int, int]  # member, rung


@dataclass
class Table:
    """rows: by (member, rung), in the order of writing; the same key again replaces its row.

    dimensions: the names of the space, each a column.
    """

    dimensions: tuple[str, ...]
    rows: dict[Key, dict[str, Any]] = field(default_factory=dict)

    def put(self, member: int, rung: int, config: Config, **facts: Any) -> None:
        self.rows[member, rung] = {
            "member": member,
            "rung": rung,
            **{name: plain(config.get(name)) for name in self.dimensions},
            **facts,
        }

    def last(self) -> list[dict[str, Any]]:
        """Each member's row at the last rung that it reached, by member."""
        newest: dict[int, dict[str, Any]] = {}
        for (member, rung), row in self.rows.items():
            if member not in newest or newest[member]["rung"] < rung:
                newest[member] = row
        return [newest[member] for member in sorted(newest)]

    def to_bytes(self) -> bytes:
        """As Parquet, by member and rung."""
        import pyarrow as pa
        from pyarrow import parquet

        out = io.BytesIO()
        ordered = [self.rows[key] for key in sorted(self.rows)]
        names = list(dict.fromkeys(name for row in ordered for name in row))
        columns = {name: _column([row.get(name) for row in ordered]) for name in names}
        parquet.write_table(pa.table(columns), out, compression="zstd")
        return out.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, dimensions: Sequence[str]) -> "Table":
        from pyarrow import parquet

        rows = parquet.read_table(io.BytesIO(content)).to_pylist()
        return cls(tuple(dimensions), {(row["member"], row["rung"]): row for row in rows})


def plain(value: Any) -> Any:
    """A setting as a cell: sizes of layers as they are written on a command line."""
    return ",".join(map(str, value)) or "none" if isinstance(value, (list, tuple)) else value


def _column(values: list[Any]) -> list[Any]:
    """One type in a column: text where numbers and names meet (``hidden``: 16 and 64,32)."""
    kinds = {type(v) for v in values if v is not None}
    if kinds <= {int, float} or len(kinds) <= 1:
        return [float(v) if kinds == {int, float} and v is not None else v for v in values]
    return [None if v is None else str(v) for v in values]
