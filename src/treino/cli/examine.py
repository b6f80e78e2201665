"""Run a script under the doctor and print its findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from treino.cli.screen import Screen
from treino.garbage_collection import collect_as_usual
from treino.words import _, door

if TYPE_CHECKING:
    from treino.diagnosis.process.run_script import Outcome
    from treino.store.output_files import OutputFile

SEEDS = 3  # runs of each, where it is proved


def is_plain_call(tokens: Sequence[str]) -> bool:
    """Whether the command line is ``doctor SCRIPT.py``, alone or with ``-- its arguments``.

    It needs no reader of flags, and loading one takes as long as a hundred steps of a small net.
    """
    verb, script, rest = tokens[:1], "".join(tokens[1:2]), tokens[2:3]
    return verb == ["doctor"] and script.endswith(".py") and script[0] != "-" and rest in ([], ["--"])


@dataclass(frozen=True)
class ScriptOptions:
    """How a script is run under the doctor. live: say certain findings at once. max_steps: of optimizers.

    max_time: seconds. fail_on: the findings that make the exit status 3. prove: run it again as it is and
    fixed, ``seeds`` times each (None: SEEDS).
    """

    live: bool = False
    max_steps: int | None = None
    max_time: float | None = None
    fail_on: Literal["certain", "likely"] | None = None
    prove: bool = False
    seeds: int | None = None


def examine(
    target: str,
    arguments: Sequence[str],
    screen: Screen,
    *,
    module: bool = False,
    options: "ScriptOptions | None" = None,
    fix: "OutputFile | None" = None,
) -> int:
    """Run a script as ``treino doctor`` does; -> the exit status: the script's own, or 3."""
    from treino.diagnosis.finding import Finding
    from treino.diagnosis.process.run_script import Outcome, run_script
    from treino.diagnosis.tell.coverage import coverage
    from treino.diagnosis.tell.report import document, one, text

    options = options or ScriptOptions()
    final = 0

    def print_finding(finding: Finding) -> None:
        screen.lines(one(finding))

    def report(outcome: Outcome) -> None:
        nonlocal final
        final = outcome.status
        if options.fail_on and [f for f in outcome.exam.findings if f.certain or options.fail_on == "likely"]:
            final = 3
        covered = coverage(outcome.exam)
        screen.lines(text(outcome, covered))
        result = document(outcome, final, covered)
        if (options.prove or fix is not None) and outcome.exam.findings:
            result |= _mend(target, arguments, module, options, outcome, fix, screen)
        screen.document(result)

    collect_as_usual()
    # what treino says to the script is for someone who writes Python
    with door("keyword"):
        run_script(
            target,
            arguments,
            module=module,
            max_steps=options.max_steps,
            max_time=options.max_time,
            live=print_finding if options.live else None,
            report=report,
        )
    return final


def _mend(
    target: str,
    arguments: Sequence[str],
    module: bool,
    options: ScriptOptions,
    outcome: "Outcome",
    fix: "OutputFile | None",
    screen: Screen,
) -> dict[str, object]:
    from treino.cli.output_paths import say_replaced
    from treino.diagnosis.tell.fix import patch
    from treino.diagnosis.tell.prove import VARIANTS, proof, table

    seeds = SEEDS if options.seeds is None else options.seeds
    mended = patch(outcome.exam.findings)
    result: dict[str, object] = {"patch": mended.diff, "mended": list(mended.rules)}
    if not mended.rules:
        screen.lines(_("doctor: none of these findings can be fixed automatically."))
        return result
    if fix is not None:
        path = fix.write(mended.diff.encode())
        screen.err.print(
            _("doctor: the fixes are in {path}; apply them with: patch -p0 < {path}").format(path=path)
        )
        result |= {"path": str(path), "replaced": say_replaced(screen.err, fix)}
    if options.prove:
        sentence = _("doctor: running it {n} times more, as it is and fixed, with {seeds} seeds each ...")
        screen.lines(sentence.format(n=VARIANTS * seeds, seeds=seeds))
        rows = proof(
            target,
            arguments,
            mended,
            module=module,
            seeds=seeds,
            max_steps=options.max_steps,
            max_time=options.max_time,
            timeout=max(600, 10 * outcome.seconds),
        )
        screen.lines(mended.diff + "\n" + table(rows))
        result["proof"] = [row.as_json() for row in rows]
    return result
