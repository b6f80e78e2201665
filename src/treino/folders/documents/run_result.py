"""``result.json`` of a run: all measured values."""

from collections.abc import Sequence
from typing import Annotated, Literal, get_args

from pydantic import Field

from treino.base.document_fields import (
    Count,
    Device,
    Document,
    Figure,
    Figures,
    Interval,
    Many,
    Seconds,
    Seed,
    Share,
    Size,
    Split,
    Status,
    Task,
    Text,
    Threads,
    Word,
)
from treino.folders.documents.run_spec import Parent, ResolvedSettings, RunFacts, Segments
from treino.settings.spec import Fault

Baseline = Literal["majority", "mean", "linear", "patches", "trees"]


class SplitFigures(Document):
    train: Figures | None
    validation: Figures | None
    test: Figures | None

    @property
    def measured(self) -> dict[Split, Figures]:
        """``{split: metrics}`` of the splits that have metrics, in the order train, validation, test."""
        return {split: figures for split in get_args(Split) if (figures := getattr(self, split))}


class Intervals(Document):
    test: dict[Word, Interval | None] | None

    @property
    def finite(self) -> dict[str, tuple[float, float]]:
        """``{metric: (low, high)}`` of the test metrics whose interval is finite."""
        return {
            metric: (ends[0], ends[1])
            for metric, ends in (self.test or {}).items()
            if ends is not None and ends[0] is not None and ends[1] is not None
        }


class ConformalResult(Document):
    """Intervals of predicted numbers, or sets of classes. level: the intended share of rows whose truth they
    hold. quantile: the score up to which nothing is ruled out; None if there are too few rows for this level.
    rows: the number of validation rows. scores, shares, effective, offset: ``score_K``, ``share_K``, ``rows``
    and ``offset`` of ``treino.inspection.conformal.Conformal``; a score of None is infinite.
    spread: how far the share may be from the level with so few rows. coverage: the share of
    test rows that they hold, with its 95 % interval; None without test rows. size: the mean number of classes
    in a set. floor: for numbers, the smallest possible one: 0 if no target is below 0; None: unknown.
    """

    level: Share
    quantile: Annotated[float, Field(ge=0)] | None
    offset: Annotated[float, Field(ge=0)] | None = None
    rows: Count
    effective: Annotated[float, Field(gt=0)] | None = None
    scores: Many[Annotated[float, Field(ge=0)] | None]
    shares: Many[Share] = ()
    spread: Share | None = None
    coverage: Share | None
    coverage_interval: Interval | None = None
    size: Annotated[float, Field(ge=0)] | None = None
    floor: float | None = None

    def agreeing(self) -> dict[str, bool]:
        return {"shares": len(self.shares) in (0, len(self.scores))}


class CalibrationResult(Document):
    """The calibration. error: the expected calibration error on these rows. chance: the error that one in
    twenty perfectly calibrated networks reaches."""

    split: Literal["train", "validation", "test"]
    rows: Count
    error: Share
    chance: Share


class ThresholdResult(Document):
    """A decision threshold. positive: the class that is predicted from the probability ``value`` on, which
    ``rule`` found on validation rows. accuracy, and precision and recall of this class: on test rows; None if
    undefined."""

    rule: str
    positive: str
    value: Share
    accuracy: Share | None
    precision: Share | None
    recall: Share | None


class Losses(Document):
    """The losses by epoch; None if the epoch was not evaluated or its loss was not finite."""

    train: Many[Figure]
    validation: Many[Figure]


class MemberResult(Document):
    """One member of an ensemble. steps: its updates; if it diverged, only the recorded ones. kept_epoch,
    kept_step: the epoch and step of its kept weights. validation: its best validation metric.
    """

    seed: Seed
    status: Literal["running", "finished", "stopped", "diverged"]
    steps: Count
    kept_epoch: Count
    kept_step: Count
    validation: Figure


class TargetResult(Document):
    """The results of one of several targets, as a run of that target alone would have them."""

    metrics: SplitFigures
    intervals: Intervals
    prediction_intervals: ConformalResult | None = None
    prediction_sets: ConformalResult | None = None
    calibration: CalibrationResult | None = None
    baseline: dict[Baseline, Figures | None]


class RunResult(RunFacts):
    """``result.json``.

    test_looks: how often the test rows were looked at until now, by this run and those beside it that go back
    to the same one (``test_looks`` of ``treino.folders.documents.listing``); None in older runs.

    targets: the results of each target, if there are several; metrics, intervals and baselines of the run are
    then means over them.

    members: the members of an ensemble, by number. answering: the numbers of the members whose mean is the
    prediction, the best first, in the order of their stored weights. answering_steps: the steps of these.
    All are missing for a single network.
    For an ensemble, steps are the updates of the member that trained longest, and kept_epoch and kept_step
    the latest of the answering members; it stopped early if patience ended every member that didn't diverge,
    and diverged if all members did.
    """

    task: Task
    target: Text
    inputs: Size
    classes: Many[Text]
    settings: ResolvedSettings
    engine: Word
    threads: Threads
    device: Device
    steps_per_epoch: Annotated[int, Field(ge=1, le=2**53)]
    faults: Many[Fault]
    status: Status
    stopped_early: bool
    steps: Count
    seconds: Seconds
    evaluation_seconds: Seconds
    waited: Share
    metrics: SplitFigures
    intervals: Intervals
    prediction_intervals: ConformalResult | None = None
    prediction_sets: ConformalResult | None = None
    calibration: CalibrationResult | None = None
    threshold: ThresholdResult | None = None
    baseline: dict[Baseline, Figures | None]
    test_looks: Count | None = None
    kept_epoch: Count | None
    kept_step: Count | None
    epochs: Count
    epoch_seconds: Many[Figure]
    loss: Losses
    loss_std: Losses
    parent: Parent | None = None
    segments: Segments = ()
    members: Many[MemberResult] = ()
    answering: Many[Count] = ()
    answering_steps: Many[Count] = ()
    targets: dict[Text, TargetResult] = Field({})

    @property
    def timed_from(self) -> int:
        """The step from which ``seconds`` and ``evaluation_seconds`` count: the newest segment's first."""
        origin = self.segments[-1].origin if self.segments else None
        return origin[1] if origin else 0

    def of_target(self, target: str, classes: Sequence[str] = ()) -> "RunResult":
        """The results of one of the targets alone. classes: its classes."""
        own = self.targets.get(target)
        facts = {"target": target, "classes": tuple(classes), "targets": {}}
        return self.model_copy(update=facts | ({} if own is None else dict(own)))

    def agreeing(self) -> dict[str, bool]:
        curves = {
            "loss.validation": self.loss.validation,
            "loss_std.train": self.loss_std.train,
            "loss_std.validation": self.loss_std.validation,
        }
        headline = "accuracy" if self.task == "classification" else "r2" if self.targets else "rmse"
        splits, networks = self.metrics.measured, self.settings.ensemble
        return {
            **{name: len(curve) == len(self.loss.train) for name, curve in curves.items()},
            "epochs": self.epochs == len(self.loss.train),
            "settings.net": self.settings.of_a_run,
            **{f"metrics.{split}": headline in figures for split, figures in splits.items()},
            **{f"baseline.{name}": f is None or headline in f for name, f in self.baseline.items()},
            "members": len(self.members) == (networks if networks > 1 else 0),
            "answering": all(number < networks for number in self.answering),
        }
