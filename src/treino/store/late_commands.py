"""Late commands, which a program added to a run's tables after sealing without checking the manifest.

The file's SHA-256 then differs from that in the manifest. The file still counts as intact if the checksums of
its tables are right, its losses are those of the checkpoint, and it ends with unread commands.
"""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from treino.store import database, sqlite, tables
from treino.store.tables import Statement


def left_out(path: Path, content: bytes, mark: Mapping[str, Any] | None) -> tuple[bytes, list[str]]:
    """The content without late commands, and their names.

    mark: of the checkpoint. Raises TreinoError if anything else differs.
    """
    with sqlite.trouble(path), closing(sqlite.in_memory(content)) as connection:
        sqlite.check(connection, path)
        contents = tables.checked(connection, path)
        database.compare(contents, mark, path)
        commands = [database.Command._make(row) for row in contents["commands"][0]]
        last = max((each.id for each in commands if each.state != "new"), default=0)
        late = sorted(each for each in commands if each.id > last)
        statement = Statement("commands", "DELETE FROM commands WHERE id > ?", (last,))
        tables.do(connection, path, [statement])
        return sqlite.content(connection), [each.name for each in late]
