"""Prove a fix: run the script unchanged, fixed, and fixed with other learning rates, over several seeds.

Each run is its own process. A fix need not improve the metric; both are shown. A run's seed is added to
every seed that the script sets, so that a script that fixes its seed varies too.
"""

import json
import math
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treino_doctor.base.escaping import escape
from treino_doctor.base.words import _, numeral
from treino_doctor.output.fix import Mended

RATES = (1.0, 10.0, 0.1)
SUMMED = "missing_zero_grad"  # its fix shrinks the gradients, so that larger rates are tried
RATES_OF_SUMS = (1.0, 10.0, 100.0)
PIPES: Any = {"capture_output": True, "text": True, "errors": "replace", "stdin": subprocess.DEVNULL}
# Rules whose fix changes what the loss measures: the same predictions get another loss.
REMEASURED = {"softmax_before_cross_entropy", "sigmoid_before_bce_with_logits", "nll_without_log_softmax"}
STUDENT = 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262  # 97.5 % of t, by degrees of freedom
NORMAL = 1.959964  # the same for infinitely many degrees of freedom
VARIANTS = 1 + len(RATES)
_PLAIN = r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?"
_NUMBER = re.compile(_PLAIN)
_WORDS = "acc(?:uracy)?|acur[aá]cia|auc|error|erro|f1|loss|perda|mae|mse|perplexity|r2|reward|rmse|score"
_NAMED = re.compile(rf"(?<![^\W_])({_WORDS})(?![^\W\d_])[^\d\n+-]{{0,20}}?({_PLAIN})", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """One variant of the script. Results by seed: the doctor's recorded loss, the last number printed.

    alone: the other variants' losses measure something else. figure: the last number printed with a metric's
    name, else the last number. name: that name, or "". reasons: why runs failed, each with its number. found:
    rules that the doctor still finds.
    """

    variant: str
    loss: tuple[float, ...]
    figure: tuple[float, ...]
    failed: int
    name: str = ""
    alone: bool = False
    reasons: tuple[tuple[str, int], ...] = ()
    found: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        means = {"loss": interval(self.loss), "figure": interval(self.figure, self.name)}
        of_each = {"losses": list(self.loss), "figures": list(self.figure), "failed": self.failed}
        more = {"loss_alone": self.alone, "reasons": dict(self.reasons), "found": list(self.found)}
        return {"variant": self.variant, **means, "name": self.name, **of_each, **more}


SHARES = "acc", "f1", "auc", "precision", "recall", "right", "acur"  # in the names of metrics from 0 to 1


def interval(values: Sequence[float], name: str = "") -> list[float] | None:
    """Return [mean, low, high], a 95 % interval by Student's t; None if no value is finite.

    name: the metric's name; the interval of a share, such as an accuracy, is cut at 0 and 1 (or 100 %).
    """
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        return None
    mean = sum(finite) / len(finite)
    if len(finite) < 2:
        return [mean, mean, mean]
    spread = math.sqrt(sum((v - mean) ** 2 for v in finite) / (len(finite) - 1))
    half = student(len(finite) - 1) * spread / math.sqrt(len(finite))
    low, high = mean - half, mean + half
    if any(share in name.lower() for share in SHARES) and min(finite) >= 0 and max(finite) <= 100:
        low, high = max(low, 0.0), min(high, 1.0 if max(finite) <= 1 else 100.0)
    return [mean, low, high]


def student(freedom: int) -> float:
    """The point below which 97.5 % of Student's t lie; from ten degrees of freedom on, by a series."""
    if freedom <= len(STUDENT):
        return STUDENT[freedom - 1]
    z, n = NORMAL, freedom
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    return z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2) + third


def proof(job: dict[str, Any], mended: Mended, *, seeds: int = 3, timeout: float = 600) -> list[Row]:
    """Return one row for each variant.

    job: the script's target (with module=True a module's name), arguments, folder, max_steps and max_time.
    timeout: seconds after which a run counts as failed.
    """
    variants: list[tuple[str, dict[str, str], float]] = [(_("as it is"), {}, 1.0)]
    for rate in RATES_OF_SUMS if SUMMED in mended.rules else RATES:
        name = _("fixed") if rate == 1 else _("fixed, lr × {rate}").format(rate=numeral(rate, "g"))
        variants.append((name, mended.sources, rate))
    alone = bool(REMEASURED.intersection(mended.rules))
    jobs = ((name, job | {"sources": sources, "rate": rate}) for name, sources, rate in variants)
    return [_row(name, own, seeds, timeout, alone and not own["sources"]) for name, own in jobs]


def _row(name: str, job: dict[str, Any], seeds: int, timeout: float, alone: bool) -> Row:
    losses, figures, word = [], [], ""
    reasons, found = Counter[str](), dict[str, None]()
    for seed in range(seeds):
        try:
            result = _run(job | {"seed": seed}, timeout)
        except OSError as error:
            result = _("The machine refused: {error}.").format(error=error)
        if isinstance(result, str):
            reasons[result] += 1
            continue
        losses.append(result["loss"] if result["loss"] is not None else math.nan)
        found |= dict.fromkeys(result["found"])
        if result["figure"] is not None:
            word, figure = result["figure"]
            figures.append(figure)
    failed, why = reasons.total(), tuple(reasons.items())
    return Row(name, tuple(losses), tuple(figures), failed, word, alone, why, tuple(found))


def _run(job: dict[str, Any], timeout: float) -> dict[str, Any] | str:
    """The result of one run, or why it failed."""
    with tempfile.TemporaryDirectory() as place:
        path, answer = Path(place) / "job.json", Path(place) / "answer.json"
        command = [sys.executable, "-m", "treino_doctor.output.prove_child", str(path)]
        path.write_text(json.dumps(job | {"answer": str(answer)}))
        try:
            ended = subprocess.run(command, cwd=job["folder"], timeout=timeout, check=False, **PIPES)
        except subprocess.TimeoutExpired:
            return _("it took longer than {n:g} seconds").format(n=timeout)
        if ended.returncode != 0 or not answer.exists():
            error = json.loads(answer.read_text())["error"] if answer.exists() else ""
            return _failure(ended.returncode, ended.stderr, error)
        result: dict[str, Any] = json.loads(answer.read_text())
    result["figure"] = last_figure(ended.stdout)
    return result


def _failure(status: int, stderr: str, error: str) -> str:
    """Why a run failed. error: the name of the exception that ended the script, or ""."""
    how = _("it ended with status {status}").format(status=status)
    if status < 0:
        how = _("signal {n} ended it ({name})").format(n=-status, name=signal.strsignal(-status))
    lines = stderr.strip().splitlines()[::-1]
    named = (line for line in lines if re.match(rf"([\w.]+\.)?{error}\b", line))
    last = next(named, "") if error else next(iter(lines), "")  # its first line, whatever is printed after it
    return f"{how}: {last or error}" if last or error else how


def last_figure(text: str) -> tuple[str, float] | None:
    """Return (name, number) of the last named metric printed; else the last number of all, with name ""."""
    for line in reversed(text.splitlines()):
        named = _NAMED.findall(line)
        if named:
            return named[-1][0].lower(), float(named[-1][1])
    numbers = _NUMBER.findall(text)
    return ("", float(numbers[-1])) if numbers else None


def table(rows: Sequence[Row], mended: Mended) -> str:
    """The variants as a table, one row each, and below it the notes needed to read it."""
    names = {row.name for row in rows if row.figure}
    what = names.pop() if len(names) == 1 else ""
    printed = _("last printed {what} [95 %]").format(what=what or _("number"))
    lines = [f"{'':24}{_('last loss [95 %]'):36}{printed}"]
    for row in rows:
        loss = _interval_text(row.loss) + (" *" if row.alone and row.loss else "")
        trouble = "  " + _("failed runs: {n}").format(n=row.failed) if row.failed else ""
        lines.append(f"{row.variant:24}{loss:36}{_interval_text(row.figure, row.name)}{trouble}")
    if any(row.alone for row in rows):
        lines.append(_("* not to be compared: the fix changes what the loss measures."))
    lines += dict.fromkeys(escape(f"{row.variant}: {reason}") for row in rows for reason, _n in row.reasons)
    plain, fixed = rows[:2]
    if SUMMED in mended.rules and _worse(plain, fixed):
        lines.append(
            _(
                "At the old rate the fixed program is worse: the gradients of all steps were summed, like a "
                "larger rate; see 10 × and 100 ×."
            )
        )
    if fixed.found:
        rules = ", ".join(fixed.found)
        lines.append(_("The doctor still finds in the fixed program: {rules}.").format(rules=rules))
    return "\n".join(lines)


def _worse(plain: Row, fixed: Row) -> bool:
    """Whether the mean loss rose; if losses can't be compared, whether a share fell."""
    one, two = interval(plain.loss), interval(fixed.loss)
    if plain.alone or one is None or two is None:
        share = any(share in fixed.name.lower() for share in SHARES)
        one, two = (interval(row.figure) for row in ((fixed, plain) if share else (plain, fixed)))
    return one is not None and two is not None and two[0] > one[0]


def _interval_text(values: Sequence[float], name: str = "") -> str:
    ends = interval(values, name)
    return "–" if ends is None else "{} [{}, {}]".format(*(numeral(value, ".4g") for value in ends))
