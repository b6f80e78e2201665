"""Limit a training's seconds: find how many networks of a recipe fit, and tell what more would bring."""

import time
from dataclasses import asdict, dataclass

import torch

from treino.base.errors import Refusal
from treino.base.words import N_, _
from treino.data.dataset import Data
from treino.engine import TrainingLoop
from treino.engine.devices import torch_context, torch_threads
from treino.engine.ensemble import outputs_on
from treino.engine.kernels.selection import torch_threads_of
from treino.inspection.more_members import Gain, gain_of_members
from treino.settings.recipes import without_recipe
from treino.settings.spec import Settings, read_settings
from treino.training.resolution import resolve

TIME_LIMIT_OF_MANY = Refusal(
    "time_limit_of_many",
    N_("[[time_limit]] is of one training, and several networks are trained here, each by itself."),
    N_("Leave it out; a sweep has [[max_time]] for all of them together."),
)

MOST = 64  # networks; more bring next to nothing
TRIAL = 0.1  # share of the limit that the trial takes at most
USUAL_LENGTH = 0.4  # share of the planned steps that networks of the recipe train for on average
PLANNED = 0.9  # share of the time left that the networks are planned for
PIECE = 0.05  # seconds of training between two looks at the clock


@dataclass(frozen=True)
class Speed:
    """How fast a trial was. members: its networks. seconds: of the trial. whole: estimated seconds of their
    whole training."""

    members: int
    seconds: float
    whole: float


def measured_speed(settings: Settings, data: Data, limit: float) -> Speed:
    """Train the recipe's networks for a short while."""
    training = resolve(settings, data).training
    begin = time.perf_counter()
    with torch_threads(torch_threads_of(training.engine, training.threads)):
        training.advance(PIECE)  # memory is allocated here
        first, start = training.step, time.perf_counter()
        while not training.done and time.perf_counter() - begin < TRIAL * limit:
            training.advance(PIECE)
    end = time.perf_counter()
    steps = training.steps if not training.done else training.step
    share = 1.0 if training.done else max(USUAL_LENGTH, training.step / training.steps)
    each = (end - start) / (training.step - first) if training.step > first else (start - begin) / first
    return Speed(settings.ensemble, end - begin, each * steps * share)


def with_members(settings: Settings, data: Data) -> tuple[Settings, str, float]:
    """The settings of a recipe with as many networks as its time limit allows; a sentence on why; and the
    seconds that this took.

    The number is a setting as if it had been asked for, so that the training can be done again without a
    clock.
    """
    limit = settings.time_limit
    assert limit is not None
    speed = measured_speed(settings, data, limit)
    left = limit - speed.seconds
    fit = int(speed.members * left * PLANNED / speed.whole)
    members = max(1, min(MOST, fit - fit % 4 if fit > 4 else fit))
    explicit = {name: getattr(settings, name) for name in settings.model_fields_set}
    chosen = read_settings(without_recipe(explicit) | {"ensemble": members})
    reason = _(
        "Networks that fit into {limit:g} seconds: {n}. By a trial of {seconds:.2g} seconds {few} take about "
        "{whole:.2g}."
    )
    if fit < 1:
        reason = _(
            "{limit:g} seconds look too short for one network: by a trial of {seconds:.2g} seconds {few} "
            "take about {whole:.2g}. One is trained all the same."
        )
    return (
        chosen,
        reason.format(n=members, limit=limit, few=speed.members, whole=speed.whole, seconds=speed.seconds),
        speed.seconds,
    )


def refuse_time_limit(settings: Settings) -> None:
    """Refuse a time limit where several networks are trained separately."""
    if settings.time_limit is not None:
        raise TIME_LIMIT_OF_MANY()


# ---- at the end

FEW = 8  # networks that all of them are compared with


def limit_message(engine: TrainingLoop, limit: float, seconds: float) -> str:
    """A sentence on the training that the time limit ends after so many seconds."""
    first = engine.plan.next_evaluation(0, 0)
    sentence = (
        _(
            "{limit:g} seconds are too short: it was trained all the same up to the first evaluation, for "
            "{seconds:.2g} seconds."
        )
        if engine.step <= first and engine.setup.validation is not None
        else _("The time limit of {limit:g} seconds ended the training after {steps:,} steps.")
    )
    return sentence.format(limit=limit, seconds=seconds, steps=engine.step)


def gain_notes(engine: TrainingLoop) -> list[str]:
    """A note on what the networks of an ensemble brought, and what more of them would bring."""
    gain = _gain(engine)
    if gain is None:
        return []
    sentence = _(
        "From {few} to {members} networks the validation loss changed by {brought:+.2%}; twice as many, "
        "in twice the time, would change it by about {more:+.2%} (± {error:.2%})."
    )
    return [sentence.format(**asdict(gain))]


def _gain(engine: TrainingLoop) -> Gain | None:
    """What the networks of an ensemble brought; None for a single one, or before the first evaluation."""
    validation, shared = engine.setup.validation, engine.shared
    if engine.config.shared.ensemble == 1 or validation is None or not engine.state.evaluated_step:
        return None
    able = [member for member, status in enumerate(engine.status_P) if status != "diverged"]
    if not able:
        return None
    every = torch.arange(len(able))
    with torch_context(validation.kernel.intra_op_threads):
        population = engine.kept_population(able)
        output_RNC, y = outputs_on(validation.rows, validation.kernel, shared, population, every)
    limits = None if shared.limits is None else torch.tensor(shared.limits)
    weight_N = None if validation.rows.weight_GN is None else validation.rows.weight_GN[0].cpu()
    return gain_of_members(output_RNC.cpu(), y.cpu(), shared.loss, limits, FEW, weight_N)
