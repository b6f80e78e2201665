"""A schedule that is not stepped as it was made for."""

import ast
from collections.abc import Iterable

import numpy as np

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.ancestry import arguments, parameters
from treino.diagnosis.reading.clearing import named_step
from treino.diagnosis.reading.handed import handed_line
from treino.diagnosis.reading.names import words
from treino.diagnosis.reading.places import FITS, told_line
from treino.diagnosis.reading.provenance import definition
from treino.diagnosis.reading.rates import slowed
from treino.diagnosis.reading.source import (
    call_name,
    called,
    enclosing,
    function_of,
    names_in,
    statement_at,
    tree,
)
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules import lr_too_low
from treino.diagnosis.watch.seen import SchedulerSeen, Seen
from treino.words import N_, _

HORIZONS = ("total_steps", "T_max", "total_iters", "steps_per_epoch")
DEPTH = 3  # names and functions that hand a number on
SIZED = ("OneCycleLR", "CosineAnnealingLR", "LinearLR", "PolynomialLR")
LOOPS = (ast.For, ast.AsyncFor, ast.While)
FALLS, HARD = ("StepLR", "MultiStepLR", "ExponentialLR"), 5e-3
STILL = 0.01  # of a figure's course: a step that tells nothing
LEAST_SHARES, MOST_ROWS, NEAR_WHOLE = 6, 10_001, 1e-3  # five random numbers pass once in 10⁹
LEAST = 12  # a smaller number is one of epochs as well
CYCLES = {"cycle", "cycles", "cyclic", "cyclical", "period", "periods", "snapshot"}
CYCLES |= {"snapshots", "restart", "restarts", "swa", "swalr", "averaged", "averages"}
ERRORS = {"loss", "losses", "error", "mse", "mae", "rmse", "perplexity", "nll"}
RISING = {"acc", "accuracy", "f1", "auc", "score", "precision", "recall", "r2", "map", "iou", "dice"}


def decide(seen: Seen) -> Iterable[Evidence]:
    """Never stepped; stepped before the first update, or for an optimizer that was replaced; or per batch
    where epochs were meant, and the other way round.
    """
    for s in seen.schedulers:
        if s.inner:
            continue
        main = seen.main_loss()
        rows = main.rows if main is not None else 0
        what = misuse(s, seen.finished, rows)
        if not what and s.calls >= 2 and s.updates == 0 and seen.steps >= 10 and not s.lent:
            what = _("steers an optimizer that never steps")
        if what:
            place = _place(s, seen.finished, rows)
        else:
            what, place = course(seen, s)
        if what:
            yield Evidence(
                place, s.site, {"scheduler": s.kind, "what": what, "calls": s.calls, "updates": s.updates}
            )


def _place(s: SchedulerSeen, finished: bool, rows: int) -> Site | None:
    """The line of its step, or the one that made it or what it was made with."""
    if oversized(s, finished, rows):
        return _sized(s.site)
    if s.calls == 0 and (named := named_step(s.site)) is not None:
        return named
    if s.heir is not None and _left(s):
        return s.heir.site
    made = s.calls == 0 or s.updates == 0 or s.kind == "ReduceLROnPlateau" or not _stepped_here(s)
    if made:
        return told_line(s.site, calls=(s.kind, "LRScheduler"))
    if s.before_first_update:
        return s.step_at
    if _too_short(s) and s.passes > 1.5 * (s.horizon or 0):
        return _set_line(s, "T_max")
    alone = s.kind in FALLS and s.starved > 0.5 * s.updates and s.horizon is None and _in_one_loop(s.step_at)
    return _fall_line(s) if alone else s.step_at


def _in_one_loop(site: Site | None) -> bool:
    """Whether a line lies in a loop that counts, and in no other: there is no epoch to step after."""
    loops = [n for n in enclosing(site) if isinstance(n, LOOPS)] if site is not None else []
    counted = loops[0].iter if len(loops) == 1 and isinstance(loops[0], ast.For) else None
    if site is None or not isinstance(counted, ast.Call) or call_name(counted) not in ("range", "trange"):
        return False
    return len(counted.args) < 3 and _runs_once(site)


def _runs_once(site: Site) -> bool:
    """Whether the function around a line, of which no loop of the file speaks, is none of another function's;
    a method is called by the file itself.
    """
    around, module = function_of(site), tree(site.file)
    if around is module or module is None:
        return module is not None
    loops = (n for n in ast.walk(module) if isinstance(n, (*LOOPS, ast.comprehension)))
    name = getattr(around, "name", "")
    method = any(around in n.body for n in module.body if isinstance(n, ast.ClassDef))
    known = around in module.body or (method and bool(called(module, name)))
    return known and not any(name in names_in(n) for n in loops)


def course(seen: Seen, s: SchedulerSeen) -> tuple[str, Site | None]:
    """What is wrong with the rates of all updates, at whatever pace it was stepped, and where."""
    led = s.updates_then >= 0.7 * s.updates >= 8  # to the end
    if not led or not seen.finished or s.kind == "ReduceLROnPlateau" or s.lent or s.peak <= 0:
        return "", None
    passed = s.read >= 2 or (
        s.of is not None and s.of.stepped_at is not None and _in_batches(s.of.stepped_at)
    )
    if s.calls == 1 and s.updates_then == s.updates and passed and _after_all(s.step_at):
        return _("was stepped once, after the last update: its rate never changed"), s.step_at
    squared = s.kind == "LambdaLR" and 0 < s.base <= 0.05 and abs(s.top - s.base**2) <= 1e-3 * s.base**2
    if squared:
        told = _("gives rates where shares of the optimizer's rate are meant: the highest rate was {top:.1e}")
        place = slowed(seen, s.of) if s.of is not None else None
        return told.format(top=s.top), place or told_line(s.site, calls=(s.kind,))
    beside = {o.kind for o in seen.schedulers if o is not s and o.of is s.of}
    if _falls_too_fast(s) and "ReduceLROnPlateau" not in beside:
        if any(lr_too_low.decide(seen)):
            return "", None  # which says where the rate went
        return _("took the rate below 1 % of its start for most updates: it falls too fast"), _fall_line(s)
    if _too_short(s) and s.rises and not beside & {"SWALR"} and not _in_cycles(s.site):
        told = _("was made for {n} steps and got {k}: its rate goes up again")
        return told.format(n=s.horizon, k=s.calls), _set_line(s, "T_max")
    if wave := _in_epochs(s):
        told = _("was made for {n} steps and got {k}: its rate goes up again")
        return told.format(n=wave, k=s.calls), s.step_at if _stepped_here(s) else s.site
    meant = _unreached(s)
    told = _("was made for {n} steps and got {k}: step it after every batch").format(n=meant, k=s.calls)
    return (told, s.step_at if _stepped_here(s) else s.site) if meant else ("", None)


def _falls_too_fast(s: SchedulerSeen) -> bool:
    """Whether most updates have hardly any rate, or it is gone after a single fall."""
    if s.apart:
        return False
    if s.kind in FALLS and s.starved > 0.15 * s.updates and 0 < s.gamma <= HARD:
        return True
    return s.starved >= 0.7 * s.updates


def _fall_line(s: SchedulerSeen) -> Site | None:
    """Where it is written how far its rate falls, or how soon."""
    if s.kind not in FALLS:
        return told_line(s.site, calls=(s.kind, "LRScheduler"))
    far = s.kind == "ExponentialLR" or s.gamma <= 0.0101
    return _set_line(s, "gamma" if far else "milestones" if s.kind == "MultiStepLR" else "step_size")


def _too_short(s: SchedulerSeen) -> bool:
    """Whether a half-wave is over long before its calls are, and its rate is, or was, up again."""
    if s.kind != "CosineAnnealingLR" or not s.horizon:
        return False
    return s.calls >= 3 * s.horizon or (s.calls >= 1.8 * s.horizon and s.rate > 0.5 * s.base)


def _in_epochs(s: SchedulerSeen) -> int:
    """The number of epochs by which the cosine of a function of a step goes up and down, where it is stepped
    at every update in a loop of epochs.
    """
    if s.kind != "LambdaLR" or s.rises < 3 or s.calls < 0.9 * s.updates:
        return 0
    waves = (n for n in s.numbers if abs(s.calls / (2 * n) - s.rises) <= 1 and s.calls >= 6 * n)
    counted = (n for n in waves if (abs(n - s.passes) <= 1 if s.passes else _in_batches(s.step_at)))
    return 0 if _in_cycles(s.site) else next(counted, 0)


def _after_all(site: Site | None) -> bool:
    """Whether a line lies in no loop."""
    return site is not None and not any(isinstance(n, LOOPS) for n in enclosing(site)) and _runs_once(site)


def _unreached(s: SchedulerSeen) -> int:
    """The number of updates that it was made for, where it got few of them as steps, so that its rate has not
    come down; or the length of a rise on which all updates lie.
    """
    for n in s.numbers:
        few = n >= LEAST and 2 <= s.calls < 0.34 * n
        course = s.rate > 0.5 * s.top and (s.rate < s.top or s.top < 0.9 * s.peak)  # of which it had little
        if few and course and abs(n - s.updates) <= 0.02 * s.updates:
            return n
        if few and n <= s.updates and s.first < s.rate == s.top < 0.5 * s.peak:
            return n
    return 0


def _in_cycles(site: Site | None) -> bool:
    """Whether the file speaks of waves, or of averages over them, so that a rate may go up again."""
    module = tree(site.file) if site is not None else None
    return module is not None and any(CYCLES & {*words(n)} for n in names_in(module))


def _set_line(s: SchedulerSeen, setting: str) -> Site | None:
    """Where a setting of a schedule is written."""
    place = told_line(s.site, calls=(s.kind, "LRScheduler"))
    position = {"gamma": 1 if s.kind == "ExponentialLR" else 2}.get(setting, 1)
    return handed_line(place, setting, position)


def _stepped_here(s: SchedulerSeen) -> bool:
    """Whether the line that led to its steps takes them itself; a library's trainer does it out of sight."""
    statement = statement_at(s.step_at) if s.step_at is not None else None
    return statement is None or bool(called(statement, "step")) or not called(statement, *FITS)


def misuse(s: SchedulerSeen, finished: bool, rows: int = 0) -> str:
    """What is wrong with one scheduler, in words; empty where nothing is. rows: of one batch."""
    if s.calls == 0:
        return _("was never stepped") if s.updates >= 10 and finished else ""
    if _left(s):
        return _("goes on steering an optimizer whose parameters another one steps, at a rate of its own")
    if s.before_first_update and s.updates:
        return _("was stepped before the optimizer's first update, so that its first rate is skipped")
    if s.starved > 0.5 * s.updates and s.updates >= 12 and s.base > 0 and s.calls > 0.5 * s.updates:
        return _("took the rate below 1 % of its start for most updates: it is stepped per batch")
    if _all_at_once(s):
        told = _("passed all of its milestones in {n} of {k} updates: it is stepped per batch")
        return told.format(n=s.milestones[-1], k=s.updates)
    meant = s.horizon or 0
    if s.updates >= 12 and finished and s.calls < 0.34 * meant and 0.9 * meant <= s.updates <= 1.1 * meant:
        return _("was made for {n} steps and got {k}: step it after every batch").format(n=meant, k=s.calls)
    if oversized(s, finished, rows):
        return _("was made for {n} steps and got {k}: its rate never comes down").format(n=meant, k=s.calls)
    if (
        s.horizon
        and s.kind == "CosineAnnealingLR"
        and s.calls >= 3 * s.horizon
        and s.calls >= 0.9 * s.updates
    ):
        return _("was made for {n} steps and got {k}: its rate goes up again").format(n=s.horizon, k=s.calls)
    if s.kind == "ReduceLROnPlateau" and s.cuts and wrong_mode(s):
        return _("has mode {mode} while its figure got better, and cut the rate").format(mode=s.mode)
    return ""


def _all_at_once(s: SchedulerSeen) -> bool:
    """Whether milestones, which are numbers of epochs, were counted in updates: all of them were passed early
    on, of many passes through the data, or in a loop over batches within another one.
    """
    if not s.milestones or s.updates < 20 or s.calls < 0.9 * s.updates:
        return False
    last = s.milestones[-1]
    if last <= s.passes <= 0.5 * s.updates and last < 0.3 * s.updates:
        return True
    return len(s.milestones) > 1 and last < 0.15 * s.updates and _in_batches(s.step_at)


def _in_batches(site: Site | None) -> bool:
    """Whether a line lies in a loop over parts of data, within one that counts."""
    loops = [n for n in enclosing(site) if isinstance(n, ast.For)] if site is not None else []
    if len(loops) < 2:
        return False
    counted, parts = loops[-2].iter, loops[-1].iter
    counts = isinstance(parts, ast.Call) and call_name(parts) in ("range", "trange") and len(parts.args) < 3
    return not counts and bool(called(counted, "range", "trange"))


def oversized(s: SchedulerSeen, finished: bool, rows: int) -> bool:
    """Stepped at every update, as it should be, but made for as many steps as there were backwards, several
    for each update, or rows.
    """
    meant = s.horizon or 0
    if not finished or s.updates < 8 or not 0.9 * s.updates <= s.calls < 0.67 * meant:
        return False
    counted = (s.backwards, rows * s.updates if rows >= 8 else 0)
    return any(0.9 * meant <= n <= 1.1 * meant for n in counted)


def _sized(site: Site | None) -> Site | None:
    """Where the number of steps was worked out that a schedule was given, by a name or by the only caller."""
    statement = statement_at(site) if site is not None else None
    calls = called(statement, *SIZED) if statement is not None else []
    given = [v for c in calls for v in [*(k.value for k in c.keywords if k.arg in HORIZONS), *c.args[1:2]]]
    value: ast.AST | None = given[0] if given else None
    for _step in range(DEPTH):
        if site is None or not isinstance(value, ast.Name):
            break
        around = function_of(site)
        if isinstance(around, ast.FunctionDef) and value.id in parameters(around):
            handed = list(arguments(site.file, around, value.id))
            if len(handed) != 1:
                break
            site, value = Site(site.file, handed[0][0].lineno), handed[0][1]
        else:
            made = definition(site, value.id)
            if made is None or made.loop:
                break
            site, value = Site(site.file, made.line), made.value
    return site


def _left(s: SchedulerSeen) -> bool:
    """The program went on with another optimizer, and never came back."""
    return s.heir is not None and s.left >= 3 and not s.lent


def wrong_mode(s: SchedulerSeen) -> bool:
    """The figure went steadily in the direction that this mode calls worse."""
    steps = [b - a for a, b in zip(s.metrics, s.metrics[1:], strict=False)]
    if len(steps) < 4:
        return False
    telling = [d for d in steps if abs(d) > STILL * (max(s.metrics) - min(s.metrics))] or steps
    falling = sum(d < 0 for d in telling) / len(telling)
    positive = s.metrics[-1] >= 0 and s.metrics[0] > 0
    if s.mode == "max":
        cut = s.cuts >= 3 and s.metrics[-1] < s.metrics[0] and _named(s, ERRORS)  # and soon stood still
        return positive and (cut or (falling >= 0.8 and s.metrics[-1] < 0.9 * s.metrics[0]))
    accuracies = all(0 <= m <= 1 for m in s.metrics) and (_named(s, RISING) or _counted(s.metrics))
    return accuracies and s.metrics[-1] > 1.02 * s.metrics[0]


def _counted(figures: list[float]) -> bool:
    """Whether figures are shares of one number of rows, so many right of n, which no loss is."""
    values = np.unique(figures)
    if len(values) < LEAST_SHARES:
        return False
    counts = np.outer(np.arange(2, MOST_ROWS), values)
    return bool((np.abs(counts - counts.round()) < NEAR_WHOLE).all(1).any())


def _named(s: SchedulerSeen, said: set[str]) -> bool:
    """Whether the figure that is given bears one of these names."""
    statement = statement_at(s.step_at) if s.step_at is not None else None
    calls = called(statement, "step") if statement is not None else []
    given = {n for c in calls for a in c.args for n in names_in(a)}
    return any(w in said for n in given for w in words(n))


RULE = Rule(
    id="scheduler_misuse",
    group="settings",
    severity="wrong",
    certain=True,
    watches=("schedulers",),
    decide=decide,
    message=N_("{scheduler} {what} ({calls} calls, {updates} updates)."),
    why=N_(
        "A schedule counts its own calls: stepped at another pace than it was made for, the rate is "
        "nearly zero too early, or never reaches its course. Before the first update it skips the first "
        "rate."
    ),
    fix=N_(
        "Call scheduler.step() after optimizer.step(): once per epoch for StepLR and the like, once per "
        "batch for OneCycleLR."
    ),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    scheduler.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=20, gamma=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    scheduler.step()
""",
    cost=N_("counts calls of schedulers"),
)
