"""Fix findings mechanically, and write the fixes as a patch that keeps comments and layout."""

import ast
import difflib
import io
import linecache
import os
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, count

from treino_doctor.base.words import _
from treino_doctor.defects import attempt
from treino_doctor.finding import Finding, Site
from treino_doctor.output.mends import MENDS, Edit, Script, edited, pieces
from treino_doctor.output.names import is_bound
from treino_doctor.output.notebook_edits import edited_notebook
from treino_doctor.places import source
from treino_doctor.process.notebooks import ENDING
from treino_doctor.rules.choices import TEST, TRAIN


@dataclass(frozen=True)
class Mended:
    """A fixed program. sources: changed file's path -> its new text; the files themselves are not changed.

    diff: the patch. data: the patch as bytes, in the files' own encodings. folder: the one where the patch
    applies. rules: of the findings that are fixed; left: the other findings, and reasons: why each is left.
    """

    sources: dict[str, str]
    diff: str
    rules: tuple[str, ...]
    left: tuple[Finding, ...] = ()
    reasons: tuple[str, ...] = ()
    data: bytes = b""
    folder: str = "."


def patch(
    findings: Iterable[Finding],
    folder: str | os.PathLike[str] | None = None,
    defects: list[str] | None = None,
) -> Mended:
    """Fix each finding that has a mechanical fix, in any file, and return the patch.

    Left unfixed, with the reason: a loop over test rows that learns from them, which must go instead; and
    whatever would not compile afterwards, or lack a name. folder: names in the patch are relative to it, if
    it holds all the files. defects: gets the errors of fixes that raised; None: they are raised.
    """
    findings = list(findings)
    why = {id(f): _("what to do instead is yours to choose") for f in findings}
    by_file: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.file is not None and finding.line is not None and finding.rule in MENDS:
            by_file.setdefault(finding.file, []).append(finding)
    sources: dict[str, str] = {}
    files: list[tuple[str, str, str]] = []
    for file, group in by_file.items():
        try:
            before, encoding = _read(file)
        except (OSError, SyntaxError, UnicodeDecodeError, LookupError):  # not a readable file
            why |= dict.fromkeys(map(id, group), _("the file can't be read"))
            continue
        after, reasons = _mended(file, before, group, defects)
        why |= zip(map(id, group), reasons, strict=True)
        if after != before:
            sources[file] = after
            files.append((file, before, encoding))
    base = _common_folder(sources, os.path.abspath(folder or os.curdir))
    diffs = [(_difference(one, sources[one[0]], base), one[2]) for one in files]
    left_over = [f for f in findings if why[id(f)]]
    patch, base = "".join(text for text, _encoding in diffs), os.path.relpath(base, folder or os.curdir)
    data = b"".join(text.encode(encoding.removesuffix("-sig")) for text, encoding in diffs)
    rules = tuple(f.rule for f in findings if not why[id(f)])
    return Mended(sources, patch, rules, (*left_over,), tuple(why[id(f)] for f in left_over), data, base)


def _read(file: str) -> tuple[str, str]:
    """(a file's text, with its own line endings; its encoding).

    Raises:
        OSError, SyntaxError, UnicodeDecodeError, LookupError: it can't be read.
    """
    with open(file, "rb") as opened:
        encoding, _lines = tokenize.detect_encoding(opened.readline)  # JSON names none: it is UTF-8
        opened.seek(0)
        return opened.read().decode(encoding), encoding


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
    lines = difflib.unified_diff(old, new, name, name)
    cut = "\n\\ No newline at end of file\n"
    return "".join(line if line.endswith(("\n", "\r")) else line + cut for line in lines)


def _mended(
    file: str, before: str, findings: list[Finding], defects: list[str] | None
) -> tuple[str, list[str]]:
    """Return a file's new text, and why each finding is left; "" if it is fixed."""
    notebook = file.endswith(ENDING)
    script, order = Script(file, "".join(linecache.getlines(file)) if notebook else before), list(MENDS)
    edits: list[Edit] = []
    left, after = [""] * len(findings), before
    text: str | None
    for at, finding in sorted(enumerate(findings), key=lambda f: order.index(f[1].rule)):
        site = Site(file, finding.line or 0)
        mend = partial(MENDS[finding.rule], finding, script, site)
        made = attempt(defects, f"fix {finding.rule}", mend, None)
        made = made or _("it can't be seen there what to change")
        if _learns_from_test(site):
            made = _("the loop learns from test rows, and has to go instead")
        if isinstance(made, str):
            left[at] = made
            continue
        new = [one for one in made if one not in edits]
        if any(a.start < b.end and b.start < a.end for a in new for b in edits):  # insertions may meet
            left[at] = _("another fix changes the same words")
        elif why := _unfit(file, script, every := [*edits, *new]):
            left[at] = why
        elif (text := edited_notebook(file, before, every) if notebook else edited(before, every)) is None:
            left[at] = _("it is beside code that only Jupyter runs")
        else:
            edits, after = every, text
    return after, left


_trials = count()  # for names of their own: what was read of a name is remembered


def _unfit(file: str, script: Script, edits: list[Edit]) -> str:
    """Why a file does not run with these edits: its syntax, or a name without a value; "" if it may."""
    parts = pieces(script.text, edits)
    text, ends = "".join(parts), [*accumulate(map(len, parts))]
    places = [*zip(ends[::2], ends[1::2], strict=False)]  # of the new parts
    try:  # the whole code of a notebook is never compiled, only its statements
        flags = ast.PyCF_ONLY_AST if file.endswith(ENDING) else 0
        compile(text, file, "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError):
        return _("the fixed file would be no Python")
    name = f"{file}, fixed ({next(_trials)})"
    linecache.cache[name] = len(text), None, io.StringIO(text).readlines(), name
    try:
        fixed, nodes = Script(name, text), ast.walk(source.module(name))
        loads = (n for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
        new = (n for n in loads if any(a <= fixed.start(n) < b for a, b in places))
        unbound = next((n.id for n in new if not is_bound(name, n, file)), "")
    finally:
        del linecache.cache[name]
    return _("{name} has no value there").format(name=unbound) if unbound else ""


def _learns_from_test(site: Site) -> bool:
    """Whether a line lies in a loop over test rows, or in a test function, that runs backward."""
    loop, function = source.loop(site), source.function(site)
    over = source.names(getattr(loop, "iter", None)) if source.calls(loop, "backward") else set()
    name = str(getattr(function, "name", "")) if source.calls(function, "backward") else ""
    named = [set(source.words(one)) for one in (*over, name)]
    return any(words & TEST and not words & TRAIN for words in named)
