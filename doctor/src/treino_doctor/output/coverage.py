"""What an examination covered: the steps, the rules that had something to judge, and key figures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from treino_doctor.exam import Exam
from treino_doctor.record.learning import Depth, Drawn, Rectified, ScheduleEnded
from treino_doctor.record.log import Ended, Log, LossCall, NetMade, Stepped
from treino_doctor.record.outcomes import Clip
from treino_doctor.record.row_log import RowsEvaluated, RowsTrained
from treino_doctor.rules import notes, rules
from treino_doctor.rules.course import training
from treino_doctor.rules.figures import summary
from treino_doctor.rules.judged import groups
from treino_doctor.words import N_, _


@dataclass(frozen=True)
class Need:
    """Something that these rules need in a log. lacking: a sentence that says it is absent."""

    lacking: str
    there: Callable[[Log], bool]
    rules: tuple[str, ...]


def _any(kind: type[Any], fits: Callable[[Any], bool] = lambda event: True) -> Callable[[Log], bool]:
    """Return a test whether a log has such an event."""
    return lambda log: any(fits(event) for event in log.of(kind))


NEEDS = (
    Need(
        N_("no optimizer of torch stepped"),
        _any(Stepped),
        (
            *("missing_zero_grad", "no_step", "grad_cleared_before_step", "params_not_in_optimizer"),
            *("lr_too_high", "lr_too_low", "weight_decay_too_high", "new_optimizer_each_step"),
        ),
    ),
    Need(
        N_("no loss function of torch was called"),
        _any(LossCall),
        (
            *("bad_label_values", "nll_without_log_softmax", "sigmoid_before_bce_with_logits"),
            *("softmax_before_cross_entropy", "activation_before_cross_entropy", "target_broadcast"),
        ),
    ),
    Need(
        N_("no loss of torch got class labels"),
        _any(LossCall, lambda call: bool(call.labels)),
        ("class_imbalance", "unshuffled_sorted"),
    ),
    Need(
        N_("the loss has no scale: it may fall below zero"),
        lambda log: training(log) is not None,
        ("vanishing_gradient", "unscaled_inputs", "exploding_sum_loss"),
    ),
    Need(
        N_("no answers of a trained net were turned into figures"),
        lambda log: any(group.evaluates for group in groups(log)),
        ("missing_eval", "missing_no_grad", "metric_wrong_axis"),
    ),
    Need(
        N_("the rows that it was trained on could not be followed"),
        _any(RowsTrained),
        ("nan_inputs", "label_misaligned", "label_in_inputs"),
    ),
    Need(
        N_("no rows were evaluated that could be followed"),
        _any(RowsEvaluated),
        (
            *("test_in_train", "duplicate_leakage", "sorted_split", "augment_on_test"),
            *("selection_on_test", "scaler_leakage"),
        ),
    ),
    Need(
        N_("no layer behaves otherwise in training (dropout, batch norm)"),
        _any(NetMade, lambda net: bool(net.modal)),
        ("missing_eval", "train_mode_never_restored"),
    ),
    Need(
        N_("there was no batch norm"),
        _any(NetMade, lambda net: any("BatchNorm" in layer for layer in net.modal)),
        ("batchnorm_batch_of_one",),
    ),
    Need(N_("there was no ReLU"), _any(Rectified), ("dead_relu",)),
    Need(N_("no optimizer had five layers of weights or more"), _any(Depth), ("vanishing_gradient",)),
    Need(N_("gradients were not clipped"), _any(Clip), ("clip_too_small",)),
    Need(N_("there was no scheduler"), _any(ScheduleEnded), ("scheduler_misuse",)),
    Need(N_("no seed was set and no order drawn"), _any(Drawn), ("seed_reset_each_epoch",)),
)


@dataclass(frozen=True)
class Coverage:
    """What was covered. watched: backwards recorded in full. unjudged: (why, rules with nothing to judge).

    figures: sentences about the loss and the predictions, and notes.
    """

    backwards: int
    watched: int
    unjudged: tuple[tuple[str, tuple[str, ...]], ...]
    figures: tuple[str, ...]

    @property
    def judged(self) -> int:
        """The number of rules that had something to judge."""
        return len(rules()) - len({rule for _why, names in self.unjudged for rule in names})

    def sentences(self) -> list[str]:
        """The coverage in sentences."""
        sentence = _(
            "Looked at closely: {watched} of {backwards} backward passes; {judged} of {all} rules had "
            "something to judge."
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
    idle: set[str] = set()
    unjudged: list[tuple[str, tuple[str, ...]]] = []
    for need in NEEDS:
        left = tuple(rule for rule in need.rules if rule not in idle)
        if left and not need.there(log):
            idle |= set(left)
            unjudged.append((need.lacking, left))
    watched = max((e.watched for e in log.of(Ended)), default=0)
    return Coverage(exam.backwards, watched, tuple(unjudged), (*summary(log), *notes(log)))
