"""The course: its lessons in the reader's language, each with the name of its exercise."""

import re
from dataclasses import dataclass
from pathlib import Path

from treino.base.words import language

HERE = Path(__file__).parent
DOCS = next(p for p in (HERE / "docs", HERE.parents[1] / "docs") if p.is_dir())  # installed, or a clone's
FOLDERS = {"en": "lessons", "pt_BR": "licoes"}


@dataclass(frozen=True)
class Lesson:
    """A lesson's page. exercise: the name of its exercise, which a command of the page gives, or None."""

    path: Path
    text: str

    @property
    def number(self) -> int:
        return int(self.path.name[:2])

    @property
    def title(self) -> str:
        """Its first line, without the number."""
        return self.text.partition("\n")[0].partition(": ")[2].replace("`", "")

    @property
    def exercise(self) -> str | None:
        found = re.search(r"^treino lessons ([\w-]+)$", self.text, re.M)
        return found[1] if found else None


def pages() -> list[Lesson]:
    """All lessons in the reader's language, in their order."""
    folder = DOCS / FOLDERS.get(language(), FOLDERS["en"])
    return [Lesson(path, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("[0-9]*.md"))]
