"""Writes where this repository lies into what is published: ``python -m tools.address https://HOST/OWNER/NAME``.

No file of the repository names its own address, for each copy has another. The workflow that builds the
packages calls this in its checkout: then the packages' metadata and the citation name the address, and the
links of the pages that a package shows lead there. It imports nothing that would have to be installed first.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECTS = {"pyproject.toml": "README.md", "doctor/pyproject.toml": "doctor/docs/doctor.md"}  # and its page
LINK = re.compile(r"(!?)(\[[^\]]*\]\()(?!\w+:|#)([^)\s]+\))")
URLS = """
[project.urls]
Source = "{address}"
Documentation = "{address}/blob/HEAD/README.md"
Changes = "{address}/blob/HEAD/CHANGELOG.md"
Issues = "{address}/issues"
"""


def write(root: Path, address: str) -> None:
    """Write the address into the files of a tree that has none yet."""
    for project, page in PROJECTS.items():
        (root / project).write_text((root / project).read_text() + URLS.format(address=address))
        (root / page).write_text(led_there((root / page).read_text(), Path(page).parent, address))
    with (root / "CITATION.cff").open("a") as file:
        file.write(f"repository-code: {address}\n")


def led_there(text: str, folder: Path, address: str) -> str:
    """A page's text whose links to files lead to the repository: pictures to their bytes."""

    def there(link: re.Match[str]) -> str:
        mark, words, path = link.groups()
        parts: list[str] = []
        for part in (folder / path).as_posix().split("/"):
            parts = parts[:-1] if part == ".." else [*parts, part]
        return f"{mark}{words}{address}/{'raw' if mark else 'blob'}/HEAD/{'/'.join(parts)}"

    return LINK.sub(there, text)


if __name__ == "__main__":
    write(ROOT, sys.argv[1].rstrip("/"))
