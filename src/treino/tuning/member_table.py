"""The table of a sweep: a row per member and rung, in Parquet; it has no figures of test rows."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from treino.documents import check
from treino.search.space import Config
from treino.store import RunFolder
from treino.store.files import damaged
from treino.words import _

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "members.parquet"

MOST_ROWS, MOST_COLUMNS = 10_000_000, 1000  # of a table that is read

Key = tuple[int, int]  # member, rung


@dataclass
class MemberTable:
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
    def read(cls, folder: RunFolder, dimensions: Sequence[str] = ()) -> "MemberTable":
        """The table that a sweep keeps; an empty one where there is none yet.

        Raises:
            TreinoError: it is damaged, or holds what no sweep writes.
        """
        if not folder.has(NAME):
            return cls(tuple(dimensions))
        rows = read_rows(folder, NAME).to_pylist()
        check(folder.kind, NAME, rows, folder.path)
        return cls(tuple(dimensions), {(row["member"], row["rung"]): row for row in rows})


def read_rows(folder: RunFolder, name: str) -> "pa.Table":
    """A Parquet file of the folder.

    Raises:
        TreinoError: it is damaged, or so large that no sweep wrote it.
    """
    import pyarrow as pa
    from pyarrow import parquet

    content = folder.read_bytes(name)
    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        fits = file.metadata.num_rows <= MOST_ROWS and file.metadata.num_columns <= MOST_COLUMNS
        found = file.read() if fits else None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(folder.path / name, str(error)) from error
    if found is None:
        raise damaged(folder.path / name, _("no sweep has so many members, or so many settings"))
    return found


def plain(value: Any) -> Any:
    """A setting as a cell: sizes of layers as they are written on a command line."""
    return ",".join(map(str, value)) or "none" if isinstance(value, (list, tuple)) else value


def _column(values: list[Any]) -> list[Any]:
    """One type in a column: text where numbers and names meet (``hidden``: 16 and 64,32)."""
    kinds = {type(v) for v in values if v is not None}
    if kinds <= {int, float} or len(kinds) <= 1:
        return [float(v) if kinds == {int, float} and v is not None else v for v in values]
    return [None if v is None else str(v) for v in values]
