"""Fix findings mechanically, and write the fixes as a patch that keeps comments and layout."""

import difflib
import io
import os
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from treino_doctor.cells import cell_of
from treino_doctor.finding import Finding, Site
from treino_doctor.output.mends import MENDS, Edit, Script
from treino_doctor.places import source
from treino_doctor.rules.choices import TEST, TRAIN


@dataclass(frozen=True)
class Mended:
    """A fixed program. sources: changed file's path -> its new text; the files themselves are not changed.

    diff: the patch. data: the patch as bytes, in the files' own encodings. folder: the one where the patch
    applies. rules: of the findings that are fixed; left: the other findings.
    """

    sources: dict[str, str]
    diff: str
    rules: tuple[str, ...]
    left: tuple[Finding, ...] = ()
    data: bytes = b""
    folder: str = "."


def patch(findings: Iterable[Finding], folder: str | os.PathLike[str] | None = None) -> Mended:
    """Fix each finding that has a mechanical fix, in any file, and return the patch.

    Left unfixed: a loop over test rows that learns from them, which must go instead; and whatever would not
    compile afterwards. folder: names in the patch are relative to it, if it holds all the files.
    """
    findings = list(findings)
    by_file: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.file is not None and finding.line is not None and finding.rule in MENDS:
            by_file.setdefault(finding.file, []).append(finding)
    sources: dict[str, str] = {}
    files: list[tuple[str, str, str]] = []
    done: list[Finding] = []
    for file, group in by_file.items():
        try:
            with open(file, "rb") as opened:
                encoding, _lines = tokenize.detect_encoding(opened.readline)
                opened.seek(0)
                before = opened.read().decode(encoding)  # with its own line endings
        except (OSError, SyntaxError, UnicodeDecodeError, LookupError):  # not a readable file
            continue
        after, fixed = _mended(file, before, group)
        if fixed:
            sources[file] = after
            files.append((file, before, encoding))
            done += fixed
    base = _common_folder(sources, os.path.abspath(folder or os.curdir))
    diffs = [(_difference(one, sources[one[0]], base), one[2]) for one in files]
    return Mended(
        sources,
        "".join(text for text, _encoding in diffs),
        tuple(f.rule for f in done),
        tuple(f for f in findings if not any(f is one for one in done)),
        b"".join(text.encode(encoding.removesuffix("-sig")) for text, encoding in diffs),
        os.path.relpath(base, folder or os.curdir),
    )


def _common_folder(files: Iterable[str], near: str) -> str:
    """A folder that holds all files: ``near`` if possible, as patch refuses names that lead out of one."""
    places = [os.path.dirname(os.path.abspath(file)) for file in files]
    inside = all(os.path.commonpath([place, near]) == near for place in places)
    return near if inside else os.path.commonpath(places)


def _difference(file: tuple[str, str, str], after: str, base: str) -> str:
    """The patch for one file, with its own line endings and, in its first line, its byte order mark."""
    path, before, encoding = file
    mark = "\ufeff" if encoding == "utf-8-sig" else ""
    old, new = (io.StringIO(mark + text, newline="").readlines() for text in (before, after))
    name = os.path.relpath(path, base)
    name += "\t" if " " in name else ""  # marks the end of a name with spaces
    return "".join(_whole_lines(difflib.unified_diff(old, new, name, name)))


def _whole_lines(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith(("\n", "\r")) else line + "\n\\ No newline at end of file\n"


def _mended(file: str, before: str, findings: list[Finding]) -> tuple[str, list[Finding]]:
    """Return a file's new text, and the findings that were fixed."""
    script, order = Script(file, before), list(MENDS)
    edits: list[Edit] = []
    done: list[Finding] = []
    after = before
    for finding in sorted(findings, key=lambda f: order.index(f.rule)):
        alone = _learns_from_test(finding) or cell_of(file, finding.line) is not None
        made = [] if alone else MENDS[finding.rule](finding, script)
        new = [one for one in made if one not in edits]
        if not made or any(_meets(a, b) for a in new for b in edits):
            continue
        text = _edited(before, [*edits, *new])
        if _compiles(text, file):
            after = text
            edits += new
            done.append(finding)
    return after, done


def _edited(text: str, edits: list[Edit]) -> str:
    for _at, edit in sorted(enumerate(edits), key=lambda e: (e[1].start, e[1].end, e[0]), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _meets(a: Edit, b: Edit) -> bool:
    """Whether two edits change the same characters; two insertions at one place do not."""
    return a.start < b.end and b.start < a.end


def _compiles(text: str, file: str) -> bool:
    try:
        compile(text, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _learns_from_test(finding: Finding) -> bool:
    """Whether a line lies in a loop over test rows, or in a test function, that runs backward."""
    site = Site(finding.file or "", finding.line or 0)
    loop, function = source.loop(site), source.function(site)
    over = source.names(getattr(loop, "iter", None)) if source.calls(loop, "backward") else set()
    name = str(getattr(function, "name", "")) if source.calls(function, "backward") else ""
    named = [set(source.words(one)) for one in (*over, name)]
    return any(words & TEST and not words & TRAIN for words in named)
