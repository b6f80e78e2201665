"""Known findings: a file with which a project starts, so that only new findings are shown and counted."""

import json
import linecache
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treino_doctor import __version__
from treino_doctor.base.errors import TreinoError
from treino_doctor.base.words import _
from treino_doctor.finding import Finding
from treino_doctor.output.files import JSON, OutputFile
from treino_doctor.process.run_script import Outcome


@dataclass(frozen=True, order=True)
class Entry:
    """A known finding. file: relative to the folder of the file of known findings. text: the line's text;
    a line that has moved is still the same finding."""

    rule: str
    file: str
    text: str


@dataclass(frozen=True)
class Compared:
    """A run's findings compared with the known ones.

    told: what the report shows. counted: what makes a build fail. gone: known ones that a whole run lacked.
    begun: whether the file was written in this first run.
    """

    path: str
    told: list[Finding]
    counted: list[Finding]
    known: tuple[Finding, ...] = ()
    gone: tuple[Entry, ...] = ()
    first: bool = False
    begun: bool = False

    @property
    def sentences(self) -> list[str]:
        """Sentences for the report."""
        if self.begun:
            sentence = _("doctor: {path} holds these findings as known; later runs tell only new ones.")
            return [sentence.format(path=self.path)]
        if self.first:
            sentence = _("doctor: {path} is not written: the script ended early or never trained.")
            return [sentence.format(path=self.path)]
        lines = []
        if self.known:
            sentence = _("doctor: known from {path} and not told again: {n} ({rules}).")
            rules = ", ".join(sorted({finding.rule for finding in self.known}))
            lines.append(sentence.format(path=self.path, n=len(self.known), rules=rules))
        for entry in self.gone:
            sentence = _("doctor: gone since {path} was written: {rule} in {file}: {text}")
            fields = {"rule": entry.rule, "file": entry.file, "text": entry.text}
            lines.append(sentence.format(path=self.path, **fields))
        return lines

    def as_json(self) -> dict[str, Any]:
        """The same as plain values; ``new``: the number of findings that count."""
        known, gone = [finding.as_json() for finding in self.known], [vars(entry) for entry in self.gone]
        counts = {"path": self.path, "written": self.begun, "new": len(self.counted)}
        return {**counts, "known": known, "gone": gone}


class KnownFindings:
    """The known findings in a file. new: whether there is no such file yet.

    Raises:
        TreinoError: the file may not be written, or holds something else (rule ``known_file``).
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._place = Path(path).absolute()  # because a script may change the working directory
        self.new = not os.path.lexists(self._place)
        self._output = OutputFile(path, JSON, replace=not self.new)
        self._entries = Counter() if self.new else _read(path)

    def has(self, finding: Finding) -> bool:
        """Whether such a finding is known."""
        return self._entries[self._entry(finding)] > 0

    def compared(self, outcome: Outcome) -> "Compared":
        """Divide the findings of a run into new and known ones; in the first run, write the file."""
        findings = outcome.exam.findings
        if self.new:
            begun = outcome.trained and not outcome.error
            if begun:
                entries = [vars(entry) for entry in sorted(map(self._entry, findings))]
                begin = {"treino-doctor": __version__, "known": entries}
                self._output.write((json.dumps(begin, indent=1, ensure_ascii=False) + "\n").encode())
            return Compared(self.path, findings, findings if not begun else [], begun=begun, first=True)
        left = Counter(self._entries)
        new: list[Finding] = []
        known: list[Finding] = []
        for finding in findings:
            entry = self._entry(finding)
            (known if left[entry] > 0 else new).append(finding)
            left[entry] -= 1
        whole = outcome.trained and not outcome.error and not outcome.stopped
        gone = sorted((+left).elements()) if whole else []
        return Compared(self.path, new, new, tuple(known), tuple(gone))

    def _entry(self, finding: Finding) -> Entry:
        if finding.file is None:
            return Entry(finding.rule, "", "")
        folder = os.path.realpath(self._place.parent)
        file = Path(os.path.relpath(os.path.realpath(finding.file), folder)).as_posix()
        return Entry(finding.rule, file, linecache.getline(finding.file, finding.line or 0).strip())


def _read(path: str) -> Counter[Entry]:
    try:
        entries = json.loads(Path(path).read_bytes())["known"]
        return Counter(Entry(str(e["rule"]), str(e["file"]), str(e["text"])) for e in entries)
    except OSError as error:
        reason = error.strerror or str(error)
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
    message = _("{path} is no file of known findings ({reason}).").format(path=path, reason=reason)
    hint = _("Give a new name: the next run writes today's findings there.")
    raise TreinoError("known_file", message, hint)
