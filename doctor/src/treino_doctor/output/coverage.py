"""What an examination covered: the steps, the rules that had something to judge, and key figures."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from treino_doctor.base.words import N_, _
from treino_doctor.cells import line_name, place_name
from treino_doctor.defects import attempt, names
from treino_doctor.exam import Exam
from treino_doctor.record.log import Ended, Log, LossCall, NetMade, OptimizerMade, Read, Stepped
from treino_doctor.record.outcomes import Clip, Depth, Rectified, StateTaken
from treino_doctor.record.row_log import Evaluated, RowsEvaluated, RowsTrained
from treino_doctor.rules import notes, rules
from treino_doctor.rules.course import Training, counted, judged_losses, training, trainings
from treino_doctor.rules.graphs import calls_by_number
from treino_doctor.rules.judged import copying, groups
from treino_doctor.rules.metric_wrong_axis import BEST, axis_of

NOISE = 3  # standard deviations within which an accuracy counts as chance
TINY = 1e-6  # times the first loss: targets that differ by less are made, as by a net, and not measured
HARDLY = 0.95  # times a constant prediction's loss; above this a loss is hardly better
SCALED = 128  # a loss this many times larger than torch's was scaled for backward, as by a GradScaler
FEW = 20  # rows of an evaluation, and rows for each class; with fewer, chance says nothing
MOST = 3  # losses that the summary describes
KEPT, LEARNED = 0.5, 0.2  # of what it gained over a constant, kept on new rows; least gain of an accuracy
NEWEST = 24  # calls of the loss that tell how training ends
LATE = 0.5  # share of the steps after which an evaluation describes the trained net


def summary(log: Log, defects: list[str] | None = None) -> list[str]:
    """Sentences on each loss's first and last values, a constant's loss, an evaluation at chance, and rows
    known by heart. defects: gets the errors of those that raised; None: they are raised."""
    newest = attempt(defects, "evaluation", partial(evaluation, log), None)
    sentences = attempt(defects, "losses", partial(_losses, log), [])
    sentences += attempt(defects, "chance", partial(_chance, log, newest), [])
    return sentences + attempt(defects, "by_heart", lambda: [*by_heart(log, newest)], [])


def _losses(log: Log) -> list[str]:
    sentences: list[str] = []
    courses = [t for t in trainings(log) if len(t.values) > 1]
    for loss in courses[:MOST]:
        sentence = _(
            "The loss was {first:.4g} on average over the first {n} of {count} backward passes, and "
            "{last:.4g} over the last {m}."
        )
        if len(courses) > 1 and loss.site is not None:
            sentence = _(
                "The loss of {line} was {first:.4g} on average over the first {n} of {count} backward "
                "passes (from number {start} on), and {last:.4g} over the last {m}."
            )
        scale = loss.adds if loss.adds >= SCALED else 1.0
        first, last = loss.first() / scale, loss.last() / scale
        counts = {"n": loss.head, "m": loss.tail, "count": len(loss.values), "start": loss.turn + 1}
        line = line_name(loss.site.file, loss.site.line) if loss.site is not None else ""
        sentences.append(sentence.format(first=first, last=last, line=line, **counts))
        if is_beaten(loss):
            sentence = _("One answer for all rows would get {constant:.4g}.")
            sentences.append(sentence.format(constant=loss.constant / scale))
    return sentences


def is_beaten(loss: Training) -> bool:
    """Whether a training's loss ends hardly below, or above, that of the best constant answer."""
    differ = loss.known and loss.constant > TINY * loss.first()
    return differ and loss.whole and loss.stuck(HARDLY)


def learned_nothing(log: Log) -> bool:
    """Whether one answer for all rows does as well as the net, in training or on the rows evaluated last."""
    newest = evaluation(log)
    above = newest is not None and right(newest) > commonest(newest) + noise(newest)  # more right than chance
    beaten = not above and any(map(is_beaten, trainings(log)[:MOST]))
    return beaten or bool(_chance(log, newest)) or any(by_heart(log, newest))


def _chance(log: Log, newest: Evaluated | None) -> list[str]:
    if newest is not None and right(newest) <= commonest(newest) + noise(newest) and newest.site is not None:
        sentence = _(
            "After {step} of {steps} steps, {right:.1%} of the {rows} rows evaluated at {place} were "
            "right; the commonest class alone is {chance:.1%} of them."
        )
        place = {"place": place_name(newest.site.file, newest.site.line), "rows": newest.rows}
        shares = {"right": right(newest), "chance": commonest(newest)}
        return [sentence.format(step=newest.step, steps=steps(log), **place, **shares)]
    return []


def by_heart(log: Log, newest: Evaluated | None) -> Iterator[str]:
    """A sentence on a net that is good on its training rows, and little better than a constant on new ones.
    Only other new rows that were answered well show that it is the net, and not how rows are prepared or
    compared with their labels.

    newest: the evaluation that counted right answers, if there is one.
    """
    course, calls = training(log), calls_by_number(log)
    new = {(e.net, e.stack) for e in log.of(RowsEvaluated) if e.rows >= FEW and not e.trained}
    last = list(course.calls[-NEWEST:]) if course is not None else []
    entries = any(math.prod(c.target_shape[1:]) > 1 for c in last)  # not one label a row
    learned = 0 if entries else sum(counted(last, "labels").values())
    if newest is not None and newest.fitting:
        return  # it may answer new rows well
    if newest is not None and newest.site is not None and (newest.net, newest.stack) in new and learned:
        trained, chance = sum(counted(last, "right").values()) / learned, commonest(newest)
        gained = right(newest) - chance + noise(newest)
        if trained - chance > LEARNED and gained < KEPT * (trained - chance):
            sentence = _(
                "{training:.1%} of the newest training rows were right, and {right:.1%} of the {rows} new "
                "rows evaluated at {place}: new rows are prepared or judged otherwise, or the training rows "
                "are known by heart."
            )
            on_new = (e for e in log.of(Evaluated) if (e.net, e.stack) in new and e.labels)
            others = (e for e in on_new if e is not newest)
            if any(e.judged == e.rows and right(e) > commonest(e) + noise(e) for e in others):
                sentence = _(
                    "{training:.1%} of the newest training rows were right, and {right:.1%} of the {rows} "
                    "new rows evaluated at {place}: it knows the training rows by heart."
                )
            place = place_name(newest.site.file, newest.site.line)
            yield sentence.format(place=place, rows=newest.rows, training=trained, right=right(newest))
            return
    late = LATE * steps(log)
    owners = ((c, calls.get(max(c.forwards, default=0))) for c in judged_losses(log) if c.step >= late)
    held = [c for c, f in owners if f is not None and (f.net, f.stack) in new]
    held = [c for c in held if (c.turn, c.stack) == (held[-1].turn, held[-1].stack)]
    rows = sum(c.target_shape[0] for c in held)
    if course is None or not course.known or not course.unscaled or rows < FEW:
        return
    loss, at = sum(c.value * c.target_shape[0] for c in held) / rows, held[-1].site
    if course.last() < KEPT * course.constant and loss > course.constant and at is not None:
        sentence = _(
            "The loss is {training:.4g} on the newest training batches, and {loss:.4g} on the {rows} new "
            "rows judged at {place}, where one answer for all would get {constant:.4g}."
        )
        values = {"training": course.last(), "loss": loss, "constant": course.constant}
        yield sentence.format(place=place_name(at.file, at.line), rows=rows, **values)


def evaluation(log: Log) -> Evaluated | None:
    """The newest whole evaluation of a trained net that compared each row's class with a label. None if there
    is none, if the net was trained for long after it, or if the best of a column, not of a row, was taken; an
    autoencoder answers with no class."""
    best = [o for read in log.of(Read) for o in read.graph.operations if o.name in BEST]
    if any(axis_of(o) in (0, -2) for o in best):
        return None
    end, without = steps(log), copying(log)
    whole = (e for e in log.of(Evaluated) if e.whole and e.learned and e.judged == e.rows)
    clear = (e for e in whole if len(e.labels) > 1 and e.rows >= FEW * len(e.labels) and e.net not in without)
    late = (e for e in clear if e.step - begin(log, e) >= LATE * (end - begin(log, e)))
    return max(late, key=lambda e: (e.turn, e.newest), default=None)


def begin(log: Log, e: Evaluated) -> int:
    """The step before which the training of an evaluated net, which may be the last of several, began."""
    own = {p for net in log.of(NetMade) if net.net == e.net for p in net.parameters}
    made = (o.step for o in log.of(OptimizerMade) if o.step <= e.step and own & set(o.parameters))
    return max(made, default=0)


def steps(log: Log) -> int:
    """The number of steps of all optimizers."""
    return max((s.step for s in log.events), default=0)


def right(e: Evaluated) -> float:
    """The share of an evaluation's rows whose predictions are right."""
    return e.right / e.rows


def commonest(e: Evaluated) -> float:
    """The share of an evaluation's most common class."""
    return max(e.labels.values()) / e.rows


def noise(e: Evaluated) -> float:
    """How far from it chance may take an accuracy that is that of one class for all rows."""
    return NOISE * math.sqrt(commonest(e) * (1 - commonest(e)) / e.rows)


def _any(kind: type[Any], fits: Callable[[Any], bool] = lambda event: True) -> Callable[[Log], bool]:
    """Return a function that tests whether a log has such an event."""
    return lambda log: any(fits(event) for event in log.of(kind))


BROKEN = N_("a defect of the doctor itself")
NEEDS: dict[str, tuple[Callable[[Log], bool], str]] = {
    N_("no optimizer of torch stepped"): (
        _any(Stepped),
        """missing_zero_grad no_step grad_cleared_before_step params_not_in_optimizer
        lr_too_high lr_too_low weight_decay_too_high new_optimizer_each_step
        frozen_weights_move""",
    ),
    N_("no loss function of torch was called"): (
        _any(LossCall),
        """bad_label_values loss_arguments_swapped nll_without_log_softmax sigmoid_before_bce_with_logits
        softmax_before_cross_entropy activation_before_cross_entropy target_broadcast mse_of_softmax
        targets_out_of_reach""",
    ),
    N_("no loss of torch got class labels"): (
        _any(LossCall, lambda call: bool(call.labels)),
        "class_imbalance unshuffled_sorted",
    ),
    N_("the loss has no scale: it may fall below zero"): (
        lambda log: training(log) is not None,
        "vanishing_gradient unscaled_inputs unscaled_targets",
    ),
    N_("no answers of a trained net were seen to become figures"): (
        lambda log: any(group.evaluates for group in groups(log)),
        "missing_eval missing_no_grad metric_wrong_axis",
    ),
    N_("the rows that it was trained on could not be followed"): (
        _any(RowsTrained),
        "nan_inputs label_misaligned",
    ),
    N_("no rows were evaluated that could be followed"): (
        _any(RowsEvaluated),
        "test_in_train duplicate_leakage sorted_split augment_on_test selection_on_test scaler_leakage "
        "test_scaled_otherwise",
    ),
    N_("no layer behaves otherwise in training (dropout, batch norm)"): (
        _any(NetMade, lambda net: bool(net.modal)),
        "missing_eval train_mode_never_restored",
    ),
    N_("no state of a net was taken"): (
        _any(StateTaken, lambda taken: taken.site is not None),
        "best_state_not_copied",
    ),
    N_("there was no batch norm"): (
        _any(NetMade, lambda net: any("BatchNorm" in layer for layer in net.modal)),
        "batchnorm_batch_of_one batchnorm_without_statistics",
    ),
    N_("there was no ReLU"): (_any(Rectified), "dead_relu"),
    N_("no optimizer had five layers of weights or more"): (_any(Depth), "vanishing_gradient"),
    N_("gradients were not clipped"): (_any(Clip), "clip_too_small clip_after_step"),
}
"""A sentence that something is missing -> (whether a log has it, the rules that need it)."""


@dataclass(frozen=True)
class Coverage:
    """What was covered. watched: backwards recorded in full. unjudged: (why, rules with nothing to judge).

    figures: sentences about the loss and the predictions, and notes. poor: they say that the net learned
    nothing that one answer for all rows would not give.
    """

    backwards: int
    watched: int
    unjudged: tuple[tuple[str, tuple[str, ...]], ...]
    figures: tuple[str, ...]
    poor: bool = False

    @property
    def judged(self) -> int:
        """The number of rules that had something to judge."""
        return len(rules()) - len({rule for _why, names in self.unjudged for rule in names})

    def sentences(self) -> list[str]:
        """The coverage in sentences."""
        sentence = _(
            "Looked at closely: {watched} of {backwards} backward {backwards:pass|passes}; {judged} of "
            "{all} rules had something to judge."
        )
        numbers = {"watched": self.watched, "backwards": self.backwards, "judged": self.judged}
        idle = [f"{_(why)} ({', '.join(names)})" for why, names in self.unjudged]
        lines = [sentence.format(**numbers, all=len(rules()))]
        return lines + ([_("Not judged: {why}.").format(why="; ".join(idle))] if idle else [])

    def as_json(self) -> dict[str, Any]:
        """The coverage as plain values, for JSON."""
        why = {rule: _(lacking) for lacking, names in self.unjudged for rule in names}
        return {"backwards": self.backwards, "watched": self.watched, "not_judged": why}


def coverage(exam: Exam) -> Coverage:
    """The coverage of an examination."""
    log = exam.log
    figures = *summary(log, exam.defects), *notes(log, exam.defects)
    broken = tuple(name for name in rules() if name in names(exam.defects))
    idle = set(broken)
    unjudged: list[tuple[str, tuple[str, ...]]] = [(BROKEN, broken)] if broken else []
    for lacking, (there, needing) in NEEDS.items():
        left = tuple(rule for rule in needing.split() if rule not in idle)
        if left and not attempt(exam.defects, "coverage", partial(there, log), True):
            idle |= set(left)
            unjudged.append((lacking, left))
    watched = max((e.watched for e in log.of(Ended)), default=0)
    poor = attempt(exam.defects, "chance", partial(learned_nothing, log), False)
    return Coverage(exam.backwards, watched, tuple(unjudged), figures, poor)
