"""The command ``treino-doctor``: run a training script unchanged, then say what is wrong with it."""

import argparse
import json
import math
import os
import shlex
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treino_doctor.base.errors import TreinoError, like, nearest
from treino_doctor.base.garbage_collection import collect_as_usual, collect_rarely
from treino_doctor.base.program_start import watch_no_more
from treino_doctor.base.screen import Screen, guarded, language_of, run_to_exit, split_tokens
from treino_doctor.base.words import N_, _, placeholders, speaking

if TYPE_CHECKING:
    from treino_doctor.finding import Finding
    from treino_doctor.output.files import OutputFile
    from treino_doctor.output.known import KnownFindings
    from treino_doctor.process.run_script import Outcome

PROGRAM = "treino-doctor"
SEEDS = 3  # runs of each variant of the script with --prove
SURENESS = "certain", "likely"
SCRIPTS = ".py", ".ipynb"  # a word that ends so is a script, even if no such file exists
OF_SCRIPT = "live", "max_steps", "max_time", "prove", "seeds", "fix", "replace", "sarif", "junit", "known"
"""Attributes of a `Request` that say how a script is run and fixed."""


# ---- the command line


class Request(argparse.Namespace):
    """What a command line asks for: each flag by its name; None or False if it isn't given.

    words: the script and its arguments; for a module, its arguments alone. program: the command's name.
    """

    @property
    def target(self) -> str | None:
        """The script or the module; None if there is none."""
        return self.module if self.module is not None else next(iter(self.words), None)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The script's own arguments."""
        return tuple(self.words if self.module is not None else self.words[1:])

    @property
    def informs(self) -> bool:
        """Whether the command only shows the help page, a rule or the version, and runs nothing."""
        return self.help or self.version or self.explain is not None

    @property
    def outputs(self) -> list[str]:
        """The files that the command writes."""
        return [path for path in (self.known, self.sarif, self.junit, self.fix) if path is not None]


def _above_zero(kind: type[int | float], flag: str, text: str) -> float:
    try:
        number = kind(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        what = _("a whole number") if kind is int else _("a number")
        raise _misuse(_("{name} can't be {value!r}: it is {kind}.").format(name=flag, value=text, kind=what))
    if number <= 0:
        raise _misuse(_("{flag} must be above 0, not {value}.").format(flag=flag, value=number))
    return number


def _sureness(flag: str, text: str) -> str:
    if text in SURENESS:
        return text
    message = _("{name} can't be {value!r}: it is one of {options}.")
    options = ", ".join(map(repr, SURENESS))
    raise _misuse(message.format(name=flag, value=text, options=options), nearest(text, SURENESS))


SECONDS = N_("SECONDS"), partial(_above_zero, float)
KNOWN = N_("report only findings that are not in this file; without it, write it with today's")
FLAGS: tuple[tuple[str, tuple[str, Any] | None, str, str], ...] = (
    # its names; its value, if it takes one, and what reads that; what it reaches beside the script; its help
    ("-m --module", (N_("MODULE"), None), "code", N_("run a module, as python -m does")),
    ("--live", None, "", N_("say certain findings as soon as they are seen")),
    ("--max-steps", ("N", partial(_above_zero, int)), "", N_("end the script after so many optimizer steps")),
    ("--max-time", SECONDS, "", N_("end the script after so many seconds")),
    ("--json", None, "", N_("one document on stdout; the script's own output goes to stderr")),
    ("--fail-on", ("certain|likely", _sureness), "", N_("exit 3 where there are findings, for use in CI")),
    ("--known", (N_("FILE"), None), "read write", KNOWN),
    ("--sarif", ("FILE", None), "write", N_("write the findings as SARIF, for GitHub's code scanning")),
    ("--junit", ("FILE", None), "write", N_("write the findings as a JUnit report")),
    ("--fix", ("FILE", None), "write", N_("write the fixes as a patch to this file")),
    ("--replace", None, "write", N_("replace the file of --fix, --sarif or --junit where it exists already")),
    ("--prove", None, "", N_("run it as it is and fixed, side by side")),
    ("--seeds", ("N", partial(_above_zero, int)), "", N_("runs of each, with --prove; default: 3")),
    ("--explain", (N_("RULE"), None), "", N_("show what a rule means, with a wrong and a right example")),
    ("--lang", ("en|pt_BR", None), "", N_("the language of the report")),
    ("-h --help", None, "", N_("show this page")),
    ("--version", None, "", N_("show the version")),
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        usage=argparse.SUPPRESS,
        add_help=False,
        allow_abbrev=False,
        exit_on_error=False,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=28, width=100),
    )
    group = parser.add_argument_group(_("Options"))
    for flag, value, _reach, about in FLAGS:
        names = flag.split()
        if value is None:
            group.add_argument(*names, action="store_true", help=_(about))
        else:
            kind = value[1] and partial(value[1], names[-1])
            group.add_argument(*names, action=_Once, type=kind, metavar=placeholders(value[0]), help=_(about))
    return parser


class _Once(argparse.Action):
    """Keeps the one value of a flag."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if getattr(namespace, self.dest) is not None:
            message = _("{flag} is given twice.").format(flag=self.option_strings[-1])
            raise _misuse(message, _("Give it once."))
        setattr(namespace, self.dest, values)


def _misuse(message: str, hint: str = "") -> TreinoError:
    return TreinoError("usage", message, hint)


def parse(tokens: Sequence[str], program: str = PROGRAM) -> Request:
    """What a command line asks for. Whatever follows ``--`` is an argument of the script.

    Raises:
        TreinoError: usage.
    """
    parser, see_page = _parser(), _("See: {page}").format(page=f"{program} --help")
    end = tokens.index("--") if "--" in tokens else len(tokens)
    try:
        request, words = parser.parse_known_args(tokens[:end], Request(program=program))
    except argparse.ArgumentError as error:
        flag = (error.argument_name or "").rpartition("/")[2]
        attached = next((t.partition("=")[2] for t in tokens[:end] if t.startswith(f"{flag}=")), None)
        if attached is None:
            value = next((word for each, word in pairwise(tokens[:end]) if each == flag), "")
            attach = _("If {value} is the value, write {flag}={value}").format(flag=flag, value=value)
            hint = attach if value.startswith("-") else see_page
            raise _misuse(_("{name} needs a value.").format(name=flag), hint) from None
        message = _("{flag} takes no value, and {value!r} follows it.").format(flag=flag, value=attached)
        raise _misuse(message, _("Write it alone: {flags}.").format(flags=flag)) from None
    except TreinoError as error:
        raise _misuse(error.message, error.hint or see_page) from None
    unknown = next((word for word in words if word.startswith("-") and word != "-"), None)
    if unknown is not None:
        message = _("Unknown option: {flag}.").format(flag=unknown)
        raise _misuse(message, _meant(unknown, words, program) or see_page)
    request.words = (*words, *tokens[end + 1 :])
    return request


def _meant(unknown: str, words: Sequence[str], program: str) -> str:
    """What an unknown flag probably meant: another flag, or a script argument without a ``--`` before it."""
    flags = [name for flag, _value, _reach, _about in FLAGS for name in flag.split()]
    if like(unknown, flags):
        return nearest(unknown, flags)
    script = next((word for word in words if not word.startswith("-")), None)
    more = " ".join(word for word in words if word is not script)
    hint = _("Arguments of the script come after --: {program} {script} -- {more}")
    return hint.format(program=program, script=script, more=more) if script is not None else ""


def help_page(program: str = PROGRAM, more: Sequence[str] = ()) -> str:
    """The help of the command. more: lines below the usage."""
    script = _("Usage: {program} SCRIPT [-- ARGUMENTS]    (.py or .ipynb)").format(program=program)
    module = _("       {program} -m MODULE [-- ARGUMENTS]").format(program=program)
    aim = _("Find what PyTorch stays silent about, in any training script, unchanged.")
    way = _("The script runs as Python would run it, to its own exit status; the findings come at the end.")
    return "\n".join([script, module, *more, "", aim, way, "", _parser().format_help().strip()])


# ---- the run


@dataclass
class Files:
    """The files that a run reads and writes."""

    fix: "OutputFile | None"
    sarif: "OutputFile | None"
    junit: "OutputFile | None"
    known: "KnownFindings | None"


def run(request: Request, screen: Screen) -> int:
    """Run a script and report what is found. Return the exit status: the script's own, or 3.

    Raises:
        TreinoError: there is no script, or a file may not be written.
    """
    if request.target is None:
        hint = _("Name the script: {program} SCRIPT.py").format(program=request.program)
        raise _misuse(_("{name} is missing.").format(name="SCRIPT"), hint)
    if request.module is None:
        _import_torch(request.target)
    from treino_doctor.process.run_script import run_script

    files, folder = _files(request), Path.cwd()
    final: int | None = None  # stays None in a process that the script forks

    def print_finding(finding: "Finding") -> None:
        from treino_doctor.output.report import one

        if files.known is None or not files.known.has(finding):
            screen.lines(one(finding))

    def report(outcome: "Outcome") -> None:
        nonlocal final
        try:
            final = _report(request, outcome, files, folder, screen)
        except TreinoError as error:  # a file that can't be written after all
            final = screen.fail(error)

    collect_as_usual()
    watch_no_more()
    limits = {"max_steps": request.max_steps, "max_time": request.max_time}
    live, module = print_finding if request.live else None, request.module is not None
    outcome = run_script(request.target, request.arguments, module=module, live=live, report=report, **limits)
    return outcome.status if final is None else final


def _import_torch(script: str) -> None:
    """Import torch with the script's folder first in the path, as the script would.

    Raises:
        TreinoError: a module in that folder fails in place of one that torch looks for.
    """
    sys.path.insert(0, os.path.dirname(os.path.realpath(script)))
    try:
        import_module("torch")
    except Exception as error:
        message = _("torch can't be imported beside {path}: {error}")
        hint = _("A file in that folder may have the name of a module that torch imports: rename it.")
        reason = f"{type(error).__name__}: {error}"
        raise TreinoError("script", message.format(path=script, error=reason), hint) from None
    finally:
        del sys.path[0]


def _files(request: Request) -> Files:
    """The files, after a check that each may be written.

    Raises:
        TreinoError: a file may not be written.
    """
    from treino_doctor.output.files import JUNIT, PATCH, SARIF, OutputFile
    from treino_doctor.output.known import KnownFindings

    if request.replace and all(path is None for path in (request.fix, request.sarif, request.junit)):
        message = _("--replace needs {flag}, which names what may be replaced.").format(flag="--fix")
        hint = _("Add {flag}, or leave --replace out.").format(flag="--fix")
        raise TreinoError("replace_what", message, hint)
    places = [os.path.abspath(path) for path in request.outputs]
    if twice := next((path for path in places if places.count(path) > 1), None):
        message = _("{path} is given for two files.").format(path=twice)
        raise _misuse(message, _("Give each file a name of its own."))
    reads = [] if request.module is not None else [str(request.target)]

    def output(path: str | None, endings: Sequence[str], own: bytes | None = None) -> OutputFile | None:
        given = {"reads": reads, "replace": request.replace, "own": own}
        return OutputFile(path, endings, **given) if path is not None else None

    return Files(
        output(request.fix, PATCH),
        output(request.sarif, SARIF, b'"name": "treino-doctor"'),
        output(request.junit, JUNIT, b'<testsuites name="treino-doctor"'),
        None if request.known is None else KnownFindings(request.known),
    )


def _report(request: Request, outcome: "Outcome", files: Files, folder: Path, screen: Screen) -> int:
    """Say what was found, and write what was asked for. Return the exit status."""
    from treino_doctor.base.escaping import escape
    from treino_doctor.defects import attempt
    from treino_doctor.output import report as output
    from treino_doctor.output.coverage import Coverage, coverage

    exam = outcome.exam
    step = partial(attempt, exam.defects)  # one that raises costs its own part of the report
    counted, known = exam.findings, 0
    notes = step("comments", partial(output.idle_comments, outcome), [])
    result: dict[str, Any] = {}
    if files.known is not None:
        compared = step("known", partial(files.known.compared, outcome), None)
        if compared is not None:
            exam.findings, counted, known = compared.told, compared.counted, len(compared.known)
            notes, result = [*compared.sentences, *notes], {"known": compared.as_json()}
    final = 3 if fails(counted, request.fail_on) else outcome.status
    covered = step("coverage", partial(coverage, exam), Coverage(exam.backwards, 0, (), ()))
    report = step("report", partial(output.text, outcome, covered, notes, known=known), None)
    screen.lines(report if report is not None else "\n\n".join(output.each(exam.findings, exam.defects)))
    told = len(exam.defects) if report is not None else 0
    if (request.prove or files.fix is not None) and exam.findings:
        result |= step("fix", partial(_mend, request, outcome, files.fix, folder, screen), {})
    if files.sarif is not None:
        from treino_doctor.output.sarif import sarif

        made = step("sarif", lambda: json.dumps(sarif(counted, folder, exam.defects), indent=1), None)
        if made is not None:
            files.sarif.write(made.encode())
    if files.junit is not None:
        from treino_doctor.output.junit import junit

        xml = step("junit", partial(junit, outcome, counted, covered), None)
        if xml is not None:
            files.junit.write(xml)
    for path in (path for file in (files.sarif, files.junit) if file is not None for path in file.replaced):
        screen.lines(_("{path} existed already and is replaced.").format(path=path))
    result |= step("comments", partial(output.comments_as_json, outcome), {})
    least = {"subject": outcome.subject, "exit": final, "defects": exam.defects}
    whole = step("json", partial(output.document, outcome, final, covered), least)
    for defect in exam.defects[told:]:
        screen.lines(escape(output.sentence_of(defect)))
    screen.document(whole | result)
    return final


def fails(findings: "Sequence[Finding]", fail_on: str | None) -> bool:
    """Whether ``--fail-on`` makes these findings an exit status of 3."""
    return fail_on is not None and any(f.certain or fail_on == "likely" for f in findings)


def _mend(
    request: Request, outcome: "Outcome", fix: "OutputFile | None", folder: Path, screen: Screen
) -> dict[str, object]:
    from treino_doctor.base.escaping import escape
    from treino_doctor.defects import attempt
    from treino_doctor.finding import place_as_json
    from treino_doctor.output.fix import patch
    from treino_doctor.output.prove import VARIANTS, proof, table
    from treino_doctor.output.report import place

    seeds = SEEDS if request.seeds is None else request.seeds
    mended = patch(outcome.exam.findings, folder, outcome.exam.defects)
    pairs = [*zip(mended.left, mended.reasons, strict=True)]
    left = [{"rule": f.rule, **place_as_json(f.file, f.line), "why": why} for f, why in pairs]
    result: dict[str, object] = {"patch": mended.diff, "mended": list(mended.rules), "left": left}
    if pairs:
        names = "; ".join(f"{f.rule} ({place(f.file, f.line)}): {why}" for f, why in pairs)
        screen.lines(escape(_("doctor: not fixed automatically: {names}").format(names=names)))
    if not mended.rules:
        return result
    if fix is not None:
        path = fix.write(mended.data)
        sentence = _("doctor: the fixes are in {path}; apply them with: {command}")
        into = [] if mended.folder == "." else ["-d", mended.folder]
        command = f"{shlex.join(['patch', '-p0', *into])} < {shlex.quote(str(path))}"
        screen.lines(sentence.format(path=path, command=command))
        for replaced in fix.replaced:
            screen.lines(_("{path} existed already and is replaced.").format(path=replaced))
        result |= {"path": str(path), "replaced": [str(replaced) for replaced in fix.replaced]}
    if request.prove:
        sentence = _(
            "doctor: running it {n} times more, as it is and fixed, with {seeds} {seeds:seed|seeds} each ..."
        )
        screen.lines(sentence.format(n=VARIANTS * seeds, seeds=seeds))
        job = {"target": str(request.target), "module": request.module is not None, "folder": str(folder)}
        job |= {name: getattr(request, name) for name in ("arguments", "max_steps", "max_time")}
        timeout = max(600, 10 * outcome.seconds)

        def proved() -> list[dict[str, Any]]:
            rows = proof(job, mended, seeds=seeds, timeout=timeout)
            screen.lines(mended.diff + "\n" + table(rows, mended))
            return [row.as_json() for row in rows]

        result["proof"] = attempt(outcome.exam.defects, "prove", proved, [])
    return result


# ---- the program


def command(tokens: Sequence[str], screen: Screen) -> int:
    """Run ``treino-doctor TOKENS``, without ``--json`` and ``--lang``; return the exit status.

    Raises:
        TreinoError: bad input.
    """
    request = parse(tokens)
    return about(request, screen) if request.informs else run(request, screen)


def about(request: Request, screen: Screen, more: Sequence[str] = ()) -> int:
    """Show the help page, a rule, or the version. more: lines below the usage.

    Raises:
        TreinoError: there is no such rule.
    """
    from treino_doctor import __version__

    if request.explain is not None and not request.help:
        from treino_doctor.output.rules_page import section
        from treino_doctor.rules import rules

        rule = rules().get(request.explain)
        if rule is None:
            message = _("There is no rule {name!r}.").format(name=request.explain)
            raise _misuse(message, nearest(request.explain, rules()))
        screen.show(section(rule))
        screen.document({"explain": rule.id, "text": section(rule)})
        return 0
    screen.show(help_page(request.program, more) if request.help else __version__)
    screen.document({"help": request.program} if request.help else {"version": __version__})
    return 0


def main(argv: Sequence[str] | None = None, *, last: bool = False) -> int:
    """Run one command and return its exit status: the script's own, 2 for bad input, 3 for ``--fail-on``.

    last: whether the process ends afterwards; then, with ``--json``, later output goes to stderr, too.
    """
    own, rest, as_json = split_tokens(sys.argv[1:] if argv is None else argv)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # unknown TREINO_LANG: language_of raises an error
        screen = Screen(as_json)

    def work() -> int:
        words, language = language_of(own)
        with speaking(language):  # errors are in this language, too
            return guarded(lambda: command([*words, *rest], screen), screen)

    try:
        return guarded(work, screen)
    finally:
        if not last:
            screen.close()


def program() -> None:
    """The entry point of the program ``treino-doctor``."""
    collect_rarely()
    run_to_exit(lambda: main(last=True))
