"""Commands that were added to a run's tables when these were sealed already, by who didn't ask its manifest.

The file is no longer the one whose SHA-256 the manifest has. It is whole all the same where its tables have
their sums, its losses are those of the checkpoint, and it ends in commands that nobody heard.
"""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from treino.store import database, sqlite, tables
from treino.store.tables import Statement


def left_out(path: Path, content: bytes, mark: Mapping[str, Any] | None) -> tuple[bytes, list[str]]:
    """The content without them, and their names.

    mark: of the checkpoint. TreinoError where anything else is not what was written.
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
