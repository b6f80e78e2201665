"""Comments that silence a rule on a line: ``# doctor: ignore missing_zero_grad, summed on purpose``."""

import io
import linecache
import re
import tokenize
from collections.abc import Iterable, Iterator

from treino_doctor.finding import Site

_IGNORE = re.compile(r"#\s*doctor:\s*ignore\b([\w\s]*)")
_honoured: set[tuple[str, int, str]] = set()


def forget() -> None:
    """Forget which comments have silenced something, as a new decision begins."""
    _honoured.clear()


def ignored(site: Site | None, rule: str) -> bool:
    """Whether the line has a comment that silences the rule."""
    if site is None or rule not in _rules(linecache.getline(site.file, site.line)):
        return False
    _honoured.add((site.file, site.line, rule))
    return True


def _rules(line: str) -> list[str]:
    """The ids in a line's comments."""
    return [rule for text in _IGNORE.findall(line) for rule in text.split()]


def idle(files: Iterable[str]) -> Iterator[tuple[Site, str]]:
    """Yield the comments in these files that silenced nothing in the newest decision: (line, rule), "" if a
    comment names none."""
    for path in files:
        lines = linecache.getlines(path)
        if not any("ignore" in line and _IGNORE.search(line) for line in lines):
            continue
        for line, text in _comments(lines):
            if _IGNORE.search(text) is None:
                continue
            for rule in _rules(text) or [""]:
                if (path, line, rule) not in _honoured:
                    yield Site(path, line), rule


def _comments(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of the comments in a source that Python can read."""
    try:
        for token in tokenize.generate_tokens(io.StringIO("".join(lines)).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError):
        return
