"""Run a few lines under the record, here and now, and let the rules decide."""

import types
from pathlib import Path
from typing import Any

from treino_doctor.finding import Finding
from treino_doctor.places.source import refresh
from treino_doctor.record.lines import watch_file
from treino_doctor.record.log import Log
from treino_doctor.record.recorder import Recorder
from treino_doctor.rules import decide
from written import program


def examined(source: str, tmp_path: Path) -> tuple[list[Finding], Log]:
    """What the rules say of a script, and its log; no observer and no rule may have raised."""
    findings, log, _ = examined_with_values(source, tmp_path)
    return findings, log


def examined_with_values(source: str, tmp_path: Path) -> tuple[list[Finding], Log, dict[str, Any]]:
    """... and the script's own values."""
    path = tmp_path / "script.py"
    path.write_text(program(source))
    refresh()
    watch_file(str(path))
    main = types.ModuleType("__main__")
    main.__file__ = str(path)
    code = compile(path.read_text(), str(path), "exec", dont_inherit=True)
    recorder = Recorder()
    recorder.install()
    try:
        exec(code, main.__dict__)
    finally:
        recorder.stop()
    findings, defects = decide(recorder.log)
    assert defects == []
    assert recorder.hooks.defect_sentences() == []
    return findings, recorder.log, main.__dict__
