"""``pytest --doctor``: each test that trains is watched; it fails, or warns, if something is found in it.

A test that imports no torch costs nothing: the examining modules are imported only after torch is.
"""

from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from treino_doctor.imports import ModuleImports

if TYPE_CHECKING:
    from treino_doctor.exam import Exam

WAYS = "fail", "warn"
Report = Generator[None, Any, None]
MARK = "no_doctor"


class DoctorWarning(pytest.PytestWarning):
    """A finding in a test that doesn't fail because of the finding."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags; ``--doctor=fail`` and ``--doctor=warn`` are whole words, so that none takes a path as a
    value."""
    group = parser.getgroup("doctor", "faults in training code (treino-doctor)")
    about = "watch tests that train, as the ini file's doctor says, or as --doctor=fail"
    group.addoption("--doctor", action="store_const", const="ini", dest="doctor", help=about)
    about = "certain findings fail their test, likely ones are warnings"
    group.addoption("--doctor=fail", action="store_const", const="fail", dest="doctor", help=about)
    about = "findings are warnings"
    group.addoption("--doctor=warn", action="store_const", const="warn", dest="doctor", help=about)
    parser.addini("doctor", "watch tests that train: fail or warn (treino-doctor)", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Watch the tests, if a flag or the ini file says so."""
    config.addinivalue_line("markers", f"{MARK}: this test is not watched by --doctor")
    ini, flag = str(config.getini("doctor")), config.getoption("doctor")
    if ini not in ("", *WAYS):
        raise pytest.UsageError(f"doctor = {ini} in the ini file: it is fail, or warn.")
    way = flag if flag in WAYS else ini or ("fail" if flag else "")
    if way:
        config.pluginmanager.register(_Watch(way), "treino_doctor_watch")


class _Watch:
    """Watches each test, from the start of its fixtures to its end. way: fail or warn."""

    def __init__(self, way: str) -> None:
        self._way = way
        self._exam: Exam | None = None
        self._torch = ModuleImports(("torch",), self._start)

    def pytest_report_header(self) -> str:
        return f"doctor: tests that train are watched ({self._way})"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if item.get_closest_marker(MARK) is None:
            self._torch.install()

    def _start(self, _torch: str) -> None:
        from treino_doctor.exam import Exam

        self._exam = Exam().start()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: "pytest.CallInfo[None]") -> Report:
        outcome = yield
        if call.when == "setup" and call.excinfo is None:
            return
        self._torch.remove()
        exam, self._exam = self._exam, None
        if exam is None:
            return
        if exam.backwards or exam.steps:
            exam.stop(finished=call.excinfo is None)
            self._tell(item, outcome.get_result(), exam)
        else:
            exam.abandon()

    def _tell(self, item: pytest.Item, report: pytest.TestReport, exam: "Exam") -> None:
        from treino_doctor.output.report import each

        failing = [f for f in exam.findings if f.certain and self._way == "fail"]
        for finding in (f for f in exam.findings if f not in failing):
            try:
                item.warn(DoctorWarning(each([finding], exam.defects)[0]))
            except Warning:  # the tests' own filters turn warnings into errors
                failing.append(finding)
        if failing:
            rules = ", ".join(sorted({finding.rule for finding in failing}))
            head = f"doctor: the training in this test has faults: {rules}"
            text = "\n\n".join([head, *each(failing, exam.defects)])
            if report.passed:
                report.outcome, report.longrepr = "failed", text
            else:
                report.sections.append(("doctor", text))
        if exam.defects:
            head, text = "doctor: a defect of the doctor itself, not of your test", "\n".join(exam.defects)
            report.sections.append((head, text))
            with suppress(Warning):  # it never fails the test
                item.warn(DoctorWarning(f"{head}: {text}"))
