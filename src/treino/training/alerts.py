"""Read alerts, ``CONDITION: ACTION``, by a closed grammar. No part of an alert is evaluated as code.

A condition is one or several clauses joined by ``and`` and ``or`` (``and`` binds closer): a figure of the
training and what is required of it. An action stops the training, sets hyper-parameters, goes back, or
notifies somebody. docs/alerts.md has the tables.
"""

import math
import re
import shlex
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.words import _, setting
from treino.engine.hyperparameters import checked_numbers, may_be_hyperparameter
from treino.engine.metrics import METRICS
from treino.engine.optim import HP
from treino.settings.setting_types import Seconds
from treino.settings.spec import read_settings
from treino.training.findings import DIVERGED, RULES
from treino.training.overfitting import RULE as OVERFITTING

ALERT_FIGURE = Refusal("An alert knows no figure {name!r}.", "{hint}")
ALERT_CONDITION = Refusal("{text!r} is no condition of an alert.", "Write e.g. {a}, {b} or {c}.")
ALERT_COMPARISON = Refusal("An alert doesn't compare by {sign!r}.", "Use one of {signs}.")
ALERT_WAY = Refusal("An alert can't ask whether {figure} {way}.", "Compare it with a number, e.g. {example}.")
ALERT_SPAN_MISSING = Refusal("{clause!r} doesn't say for how long.", "Add e.g. {span}.", rule="alert_span")
ALERT_FINDING = Refusal("A run of treino can't have the finding {name!r}.", "{hint}")
ALERT_NO_SPAN = Refusal(
    "{span!r} is no span: a whole number of epochs or steps, or a time.",
    "Write e.g. {examples}.",
    rule="alert_span",
)
ALERT_RANGE = Refusal("{figure} is a share from 0 to 1, and {number:g} is none.", "{hint}")
ALERT_NUMBER = Refusal("{text!r} is no number to compare {figure} with.", "Write e.g. {example}.")
ALERT_ACTION = Refusal("{text!r} is no action of an alert.", "Write {stop}, {set}, {rewind} or {notify}.")
ALERT_HYPERPARAMETER = Refusal("{name!r} can't be set while it trains.", "{hint}")
ALERT_VALUE = Refusal("{word!r} gives no value to set.", "Write e.g. {examples}.")
ALERT_COMMAND_MISSING = Refusal(
    "{notify} doesn't say whom.", "Give a command or an address, e.g. {example}.", rule="alert_command"
)
ALERT_FORM = Refusal("{text!r} is no alert: {form}.", "Write e.g. {example}.")
ALERT_TWICE = Refusal("The alert sets {name} twice.", "Give one value.")
ALERT_COMMAND_UNREADABLE = Refusal(
    "{text!r} can't be read as a command: {why}.",
    "Close each quote, and write \\\\ for a backslash.",
    rule="alert_command",
)

# ---- figures

Unit = Literal["", "share", "seconds"]


@dataclass(frozen=True)
class FigureKind:
    """A kind of figure. unit: that of the number that it is compared with. moves: whether it rises and falls,
    so that a clause can be a trend of it. better: +1 if larger is better, -1 if smaller is; 0: neither."""

    unit: Unit = ""
    moves: bool = False
    better: int = 0


TRAINING, VALIDATION = "training loss", "validation"
FIGURES: dict[str, FigureKind] = {
    TRAINING: FigureKind(moves=True, better=-1),
    **{
        f"{VALIDATION} {name}": FigureKind("share" if metric.share else "", moves=True, better=metric.better)
        for name, metric in METRICS.items()
    },
    "gradient norm": FigureKind(moves=True),
    "lr": FigureKind(),
    "epoch": FigureKind(),
    "time spent": FigureKind("seconds"),
}
"""The figures by the names that conditions use."""
ALIASES = {
    "loss": TRAINING,
    "train loss": TRAINING,
    "val loss": f"{VALIDATION} loss",
    "learning rate": "lr",
    **{name: f"{VALIDATION} {name}" for name in METRICS if name != "loss"},
    **{f"val {name}": f"{VALIDATION} {name}" for name in METRICS},
}
FINDING = "finding"


def kind_of(figure: str) -> FigureKind:
    """The kind of a figure of FIGURES, or of a metric that isn't treino's own."""
    if figure in FIGURES:
        return FIGURES[figure]
    metric = METRICS[figure.removeprefix(f"{VALIDATION} ")]
    return FigureKind("share" if metric.share else "", moves=True, better=metric.better)


def _figure(name: str, metric: str) -> str:
    """The figure of this name in lower case. metric: that of the training, which may be the user's own.

    Raises:
        TreinoError: an unknown name, with the nearest one.
    """
    name, word = ALIASES.get(name, name), metric.partition("@")[0]
    bare = re.sub(rf"^(val|{VALIDATION}) ", "", name)
    if metric and bare in (metric.lower(), word.lower()):
        return f"{VALIDATION} {metric}"
    if name not in FIGURES and re.fullmatch(r"\w+(@\w+)?", bare) and METRICS.find(bare):
        return f"{VALIDATION} {bare}"
    if name not in FIGURES:
        known = {*FIGURES, *ALIASES, *([word] if word else [])}
        hint = nearest(name, known - {f"{VALIDATION} {each}" for each in ALIASES})
        raise ALERT_FIGURE(name=name, hint=hint)
    return name


# ---- conditions

COMPARISONS = {">": ">", ">=": ">=", "<": "<", "<=": "<=", "≥": ">=", "≤": "<="}
TRENDS = ("rises", "falls", "stands still")
BEST, NOT_BEST, NAN = "is best", "is not best", "is nan"
SPANS = ("steps", "epochs", "s")
MOST = 1_000_000  # maximum number of steps or epochs of a span
CLAUSE = re.compile(
    r"(?P<figure>.+?)\s*"
    r"(?:(?P<sign>[<>]=?|[≤≥])\s*(?P<number>.*?)"
    rf"|\b(?P<way>{'|'.join((*TRENDS, BEST, NOT_BEST, NAN))}))"
    r"(?:\s+for\s+(?P<span>.*))?"
)
NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(.*)")


@dataclass(frozen=True)
class Span:
    """How long something must hold. unit: steps, epochs or s (seconds of training)."""

    count: float
    unit: str

    def __str__(self) -> str:
        unit = self.unit[:-1] if self.count == 1 and self.unit != "s" else self.unit
        return f"{written(self.count)} {unit}"


@dataclass(frozen=True)
class Clause:
    """A requirement on one figure. way: a comparison, a trend, ``is best``, ``is not best``, ``is nan``; or
    ``finding``, if figure is the doctor's rule. number: what it is compared with, in the figure's base
    unit."""

    figure: str
    way: str
    number: float | None = None
    span: Span | None = None

    def __str__(self) -> str:
        if self.way == FINDING:
            return f"{FINDING} {self.figure}"
        words = [self.figure, self.way]
        if self.number is not None:
            words.append(written(self.number) + _unit_text(kind_of(self.figure)))
        return " ".join(words) + (f" for {self.span}" if self.span else "")


@dataclass(frozen=True)
class Condition:
    """Clauses: it holds if all clauses of one of its parts hold."""

    parts: tuple[tuple[Clause, ...], ...]

    @property
    def clauses(self) -> tuple[Clause, ...]:
        return tuple(clause for part in self.parts for clause in part)

    def __str__(self) -> str:
        return " or ".join(" and ".join(map(str, part)) for part in self.parts)


def condition_of(text: str, metric: str = "") -> Condition:
    """Read a condition. metric: that of the training.

    Raises:
        TreinoError: the text isn't a condition; an unknown figure, with the nearest one.
    """
    parts = (re.split(r"\s+and\b\s*", part) for part in re.split(r"\s+or\b\s*", text.lower()))
    return Condition(tuple(tuple(_clause(each, metric) for each in part) for part in parts))


def _clause(text: str, metric: str) -> Clause:
    text = " ".join(text.split())
    first, _space, name = text.partition(" ")
    if first == FINDING:
        if name not in (known := {*RULES, DIVERGED, OVERFITTING}):
            raise ALERT_FINDING(name=name, hint=nearest(name, known))
        return Clause(name, FINDING)
    if wrong := re.search(r"(?<![<>])[=!]+", text):
        raise ALERT_COMPARISON(sign=wrong[0], signs=">, >=, <, <=")
    match = CLAUSE.fullmatch(text)
    way, span = (None, None) if match is None else (match["way"], _span(match["span"]))
    if match is None or (way == NAN and span is not None):
        example = {"a": "accuracy >= 0.98", "b": "validation loss rises for 5 epochs"}
        raise ALERT_CONDITION(text=text, **example, c="finding lr_too_high")
    name = _figure(match["figure"], metric)
    kind = kind_of(name)
    if way is None:
        return Clause(name, COMPARISONS[match["sign"]], _number(kind, name, match["number"]), span)
    if not kind.moves or (way in (BEST, NOT_BEST) and not kind.better):
        raise ALERT_WAY(figure=name, way=way, example=f"{name} > 1{_unit_text(kind)}")
    if way != NAN and (span is None or span.unit == "s"):
        raise ALERT_SPAN_MISSING(clause=text, span="for 5 epochs")
    return Clause(name, way, None, span)


def _span(text: str | None) -> Span | None:
    """The span after ``for``."""
    if text is None:
        return None
    number, unit = _quantity(text)
    unit = {"step": "steps", "epoch": "epochs"}.get(unit, unit)
    if unit not in ("", *SPANS):
        number, unit = _seconds(text), "s"
    if number is None or not unit or not 0 < number <= MOST or (unit != "s" and number != int(number)):
        raise ALERT_NO_SPAN(span=f"for {text}", examples="for 5 epochs, for 20 steps, for 2 min")
    return Span(number, unit)


def _quantity(text: str) -> tuple[float | None, str]:
    """The number at the beginning, and the rest as its unit; None: there is no number, or it isn't finite."""
    match = NUMBER.fullmatch(text)
    if match is None or not math.isfinite(number := float(match[1])):
        return None, ""
    return number, match[2].strip()


def _seconds(text: str) -> float | None:
    """A duration such as ``10 min``; None if the text isn't one."""
    try:
        return TypeAdapter(Seconds).validate_python(text)
    except (ValidationError, ValueError, TreinoError):
        return None


def _number(kind: FigureKind, figure: str, text: str) -> float:
    """The number, converted to the figure's base unit."""
    number, unit = (_seconds(text), "") if kind.unit == "seconds" else _quantity(text)
    if kind.unit == "share" and number is not None and unit == "%":
        number, unit = number / 100, ""
    if kind.unit == "seconds" and number is not None and not 0 <= number < math.inf:
        number = None
    if number is None or unit:
        example = "10 min" if kind.unit == "seconds" else "100"
        raise ALERT_NUMBER(text=text, figure=figure, example=f"{figure} > {example}")
    if kind.unit == "share" and not 0 <= number <= 1:
        hint = _("Write {share:g}, or {percent:g} %.").format(share=number / 100, percent=number)
        other = _("Write e.g. {example}.").format(example="0.98")
        raise ALERT_RANGE(figure=figure, number=number, hint=hint if 1 < number <= 100 else other)
    return number


def _unit_text(kind: FigureKind) -> str:
    return " s" if kind.unit == "seconds" else ""


def written(number: float) -> str:
    """A number as it is typed, with all its digits."""
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


# ---- actions

STOP, SET, REWIND, NOTIFY = "stop", "set", "rewind", "notify"
WEB = ("http://", "https://")


@dataclass(frozen=True)
class NewValue:
    """A hyper-parameter's new value. relative: a factor of the present one. value None: ``clip=none``."""

    name: str
    value: Any
    relative: bool = False

    def __str__(self) -> str:
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        text = ",".join("none" if value is None else written(value) for value in values)
        return f"{self.name}{'*' if self.relative else '='}{text}"


@dataclass(frozen=True)
class Action:
    """An alert's action. kind: stop, set, rewind or notify. words: the command of ``notify``, or its
    address."""

    kind: str
    changes: tuple[NewValue, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def address(self) -> str | None:
        """The address to notify; None: a command, or no notification."""
        web = self.kind == NOTIFY and len(self.words) == 1 and self.words[0].lower().startswith(WEB)
        return self.words[0] if web else None

    def __str__(self) -> str:
        start = [] if self.kind == SET else [self.kind]
        return " ".join([*start, *map(str, self.changes), *([shlex.join(self.words)] if self.words else [])])


def action_of(text: str) -> Action:
    """Read an action.

    Raises:
        TreinoError: the text isn't an action; an unknown hyper-parameter, or a value out of range.
    """
    word, _space, rest = text.strip().partition(" ")
    kind = word.lower()
    if kind == NOTIFY:
        return Action(NOTIFY, words=_command(rest))
    if kind == STOP and not rest.strip():
        return Action(STOP)
    words = rest.split() if kind == REWIND else text.split()
    if kind != REWIND and not (words and re.search(r"[=*]", text)):
        raise ALERT_ACTION(
            text=text.strip(), stop="stop", set="lr*0.5", rewind="rewind lr*0.5", notify="notify COMMAND"
        )
    changes = tuple(map(_change, words))
    for name, twice in groupby(sorted(change.name for change in changes)):
        if len(list(twice)) > 1:
            raise ALERT_TWICE(name=name)
    return Action(REWIND if kind == REWIND else SET, changes)


def _change(word: str) -> NewValue:
    match = re.fullmatch(r"([\w-]+)([*=])(.+)", word)
    if match is None:
        raise ALERT_VALUE(word=word, examples="lr*0.5, dropout=0.3")
    name, sign, text = match[1].lower().replace("-", "_"), match[2], match[3]
    if name != "betas" and not may_be_hyperparameter(name):
        raise ALERT_HYPERPARAMETER(name=name, hint=nearest(name, (*HP, "betas")))
    if name == "betas" and sign == "=":
        return NewValue(name, read_settings({"betas": text}).betas)
    if name == "clip" and sign == "=" and text.lower() in ("none", "inf"):
        return NewValue(name, None)
    number, unit = _quantity(text)
    if number is None or unit or (sign == "*" and (number <= 0 or name == "betas")):
        raise ALERT_VALUE(word=word, examples=f"{name}*0.5, {name}=0.1")
    if sign == "=":
        (number,) = checked_numbers(name, number, 1)
    return NewValue(name, number, sign == "*")


def _command(text: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise ALERT_COMMAND_UNREADABLE(text=text, why=error) from None
    if not words or not words[0] or "\0" in text:
        raise ALERT_COMMAND_MISSING(notify=NOTIFY, example="notify notify-send treino")
    return words


# ---- alerts


@dataclass(frozen=True)
class Alert:
    """A condition, and the action to take when it begins to hold. reason: why treino itself gave it; empty:
    the user did."""

    condition: Condition
    action: Action
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.condition}: {self.action}"


def alert_of(text: str, metric: str = "") -> Alert:
    """Read an alert, ``CONDITION: ACTION``. metric: that of the training.

    Raises:
        TreinoError: the text isn't an alert; the message is about the part that is wrong.
    """
    condition, colon, action = str(text).partition(":")
    if not colon or not condition.strip() or not action.strip():
        raise ALERT_FORM(
            text=text,
            form="CONDITION: ACTION",
            example=setting("alert", "validation loss rises for 5 epochs: stop"),
        )
    return Alert(condition_of(condition, metric), action_of(action))
