"""The choices before a training, with their reasons: recipe, network and what short trainings decide, such as
rate, flips, the target's logarithm, how many networks.

``--lr auto`` trains with many rates side by side. Trying rates before a training is Smith's idea ("Cyclical
learning rates for training neural networks", WACV 2017). His single network passes through all rates; here
each rate trains a network of its own, with the same seed, in one population.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from treino.base.errors import Refusal, TreinoError
from treino.base.words import _, setting
from treino.data import BUILTINS
from treino.data.dataset import Data
from treino.data.source_kinds import is_album, is_arrays, is_torch_dataset
from treino.engine import MLP, Net, TrainConfig, TrainingLoop
from treino.engine.defaults import with_net
from treino.engine.devices import torch_threads
from treino.engine.ensemble import outputs_on
from treino.engine.kernels.selection import torch_threads_of
from treino.engine.nets import CNN
from treino.engine.templates import NetSource
from treino.engine.training_setup import set_up
from treino.folders.user_network import NetworkFiles, network_of
from treino.inspection.conformal import floor_of
from treino.inspection.outputs import outputs
from treino.settings import recipes
from treino.settings.spec import Settings, faults_of, read_settings
from treino.training.resolution import decide

LR_AUTO_DIVERGED = Refusal(
    "Training diverges at every learning rate from {low:g} to {high:g}.",
    "Normalise the data, or see: treino data DATA",
    status=4,
)

# ---- what is trained, and the rates tried on it

BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Rates:
    """Each rate's mean training loss over the last quarter of ``steps``; None: it diverged.

    chosen: the middle of the three neighbouring rates with the lowest mean loss; the single best rate may be
    close to divergence.
    """

    rates: tuple[float, ...]
    losses: tuple[float | None, ...]
    steps: int
    chosen: float

    def lines(self) -> list[str]:
        """The losses by rate as a text chart, with the choice marked below."""
        finite = [loss for loss in self.losses if loss is not None]
        high = math.log(max(finite) + 1e-12)
        low = max(math.log(min(finite) + 1e-12), high - math.log(1e4))

        def bar(loss: float | None) -> str:
            if loss is None:
                return "×"
            share = max(0.0, math.log(loss + 1e-12) - low) / max(high - low, 1e-12)
            return BARS[min(len(BARS) - 1, int(share * len(BARS)))]

        place = self.rates.index(self.chosen)
        loss = self.losses[place]
        assert loss is not None
        return [
            _("learning rate: {n} rates from {low:g} to {high:g}, {steps} steps each (×: diverged)").format(
                n=len(self.rates), low=self.rates[0], high=self.rates[-1], steps=self.steps
            ),
            "  " + "".join(map(bar, self.losses)),
            " " * (place + 2) + _("↑ {lr:.3g} (loss {loss:.4g})").format(lr=self.chosen, loss=loss),
            "",
        ]

    def record(self, events: Iterator[Any]) -> Iterator[Any]:
        """Pass the events on, and write the rates into the folder as soon as it exists."""
        for event in events:
            event.job.folder.write_json("rates.json", asdict(self))
            yield event
            yield from events


@dataclass(eq=False)
class TrainingSource:
    """What one network, or several alike, are trained on, while settings are decided.

    load: reads and prepares the rows, by settings and the most inputs with bins. prepared: the rows by the
    present settings. net: a module of the user's own; networks: the file that ``net`` names. single: what
    requires a single network, such as weights to begin with. repeated: whether several seeds or folds are
    trained. search: whether the learning rate is to be found; rates: those tried. seconds: of trials that
    count as training.
    """

    source: Any
    load: Callable[..., Data]
    prepared: Data | None = None
    net: nn.Module | None = None
    networks: NetworkFiles = field(default_factory=dict)
    single: str = ""
    repeated: bool = False
    search: bool = False
    rates: Rates | None = None
    seconds: float = 0.0

    @property
    def data(self) -> Data:
        """The rows, by the settings of the last choice."""
        assert self.prepared is not None  # ``choose_recipe`` comes first
        return self.prepared

    def own_network(self, settings: Settings) -> bool:
        """Whether the network is the user's own."""
        return self.net is not None or settings.net_file is not None


def choose_recipe(s: Settings, of: TrainingSource) -> Settings:
    """Decide the recipe, if none is requested, by the source; load the rows.

    Raises:
        TreinoError: bad input.
    """
    why = _why_plain(s, of)
    if s.recipe is None and not why:
        table = read_settings(s.explicit | {"recipe": "table"})
        data = of.load(table, most_inputs=recipes.MOST_INPUTS)
        if data.kind == "table":
            of.prepared = data
            values = {"recipe": "table"}
            if table.inputs == "bins" and data.arguments.inputs == "plain":
                values["inputs"] = "plain"
            reason = _(
                "recipe table, as by default for a table of your own: {n} networks ({flag}: one simple "
                "network)"
            ).format(n=table.ensemble, flag=setting("recipe", "plain"))
            return s.decided("data", reason, **values)
        why = _("this is no table")
    of.prepared = of.load(s)
    return s if s.recipe is not None else s.decided("data", plain_reason(why))


def _why_plain(s: Settings, of: TrainingSource) -> str:
    """The reason to train one simple network; empty if the recipe for tables may apply."""
    if of.single:
        return of.single
    if s.net not in (None, "mlp"):
        return _("the network is your own") if s.net_file else _("the network is convolutional")
    if faults_of(s):
        return _("a fault is to be seen")
    if isinstance(of.source, Data):
        return _("the rows were prepared before")
    if is_torch_dataset(of.source) or is_album(of.source) or is_arrays(of.source):
        return _("this is no table")
    return _("built-in data") if isinstance(of.source, str) and of.source in BUILTINS else ""


def plain_reason(why: str) -> str:
    """A sentence: one simple network is trained, with the reason."""
    return _("recipe plain: one simple network ({why})").format(why=why)


# ---- the learning rate

RATES = 64
FEW_RATES = 16  # for networks that are large or trained member by member
LARGE = 300_000  # parameters
LOWEST, HIGHEST = 1e-6, 1.0
STEPS = (100, 500)  # two passes over the rows, within these limits
ALONE = {"ensemble": 1, "dropout_spread": False, "plain_members": 0}


def choose_rate(settings: Settings, of: TrainingSource) -> Settings:
    """Decide the learning rate, if it is ``auto``: try many on the training rows, with everything else as in
    the settings.

    Raises:
        TreinoError: settings that contradict the data, or every rate diverged.
    """
    if not of.search:
        return settings
    data = of.data
    own = of.net if of.net is not None else network_of(settings, of.networks)
    net, config = decide(_alone(settings), data, own)
    made = net if isinstance(net, Net) else partial(copy.deepcopy, net)  # all start with the same weights
    batch = config.rows_per_step(len(data.train))
    steps = max(STEPS[0], min(STEPS[1], 2 * -(-len(data.train) // batch)))
    weights = sum(a * b for a, b in pairwise((data.inputs, *net.hidden))) if isinstance(net, MLP) else LARGE
    count = RATES if weights < LARGE and isinstance(net, MLP) and not net.batch_norm else FEW_RATES
    ends = math.log(LOWEST), math.log(HIGHEST)
    rates = [float(f"{math.exp(ends[0] + i * (ends[1] - ends[0]) / (count - 1)):.3g}") for i in range(count)]
    length = {"epochs": None, "steps": steps, "patience": 0, "keep": "last"}
    plain = config.shared.model_copy(update={"ensemble": 1, "schedule": "constant", "warmup": 0} | length)
    members = tuple(plain.model_copy(update={"lr": rate}) for rate in rates)
    tried = TrainingLoop(*set_up(data, made, replace(config, members=members)))
    with torch_threads(1):
        loss_SP = torch.cat([tick.loss_SP for tick in tried])
    mean_P = loss_SP[-max(1, steps // 4) :].double().mean(0)
    losses = [
        None if status == "diverged" or not math.isfinite(m) else m
        for m, status in zip(mean_P.tolist(), tried.status_P, strict=True)
    ]
    of.rates = Rates(tuple(rates), tuple(losses), steps, rates[choice(losses)])
    return settings.decided("data", "", lr=of.rates.chosen)


def _alone(settings: Settings) -> Settings:
    """The settings of one of the networks of an ensemble, which is tried alone."""
    return settings if settings.ensemble == 1 else settings.model_copy(update=ALONE)


def choice(losses: list[float | None]) -> int:
    """The index with the lowest loss, averaged with its neighbours'."""

    def together(i: int) -> float:
        some = losses[max(0, i - 1) : i + 2]
        return math.inf if any(loss is None for loss in some) else sum(filter(None, some)) / len(some)

    best = min(range(len(losses)), key=together)
    if losses[best] is not None and together(best) < math.inf:
        return best
    fine = [i for i, loss in enumerate(losses) if loss is not None]
    if not fine:
        raise LR_AUTO_DIVERGED(low=LOWEST, high=HIGHEST)
    return min(fine, key=lambda i: losses[i] or 0.0)


# ---- whether training pictures are mirrored

FLIP_SHARE = 0.25  # share of the training's updates
FLIP_STEPS = 300  # maximum number of updates
FEWEST_ROWS = 100  # minimum number of validation rows


def choose_flips(settings: Settings, of: TrainingSource) -> Settings:
    """Decide ``flip``.

    A trial is made for one convolutional network that learns classes of pictures in files, with enough
    validation rows, if neither ``flip`` nor ``augment=none`` is set. Flips are used if the mean loss of the
    validation rows falls by more than the standard error of its difference, row by row.
    """
    data = of.data
    photographs = (
        data.kind == "image"
        and data.sha256 is not None
        and data.task == "classification"
        and len(data.validation) >= FEWEST_ROWS
    )
    own = of.repeated or of.own_network(settings)
    if own or settings.flip is not None or settings.augment == "none" or not photographs:
        return settings
    layers, config = decide(_alone(settings), data)
    if not isinstance(layers, CNN):
        return settings
    shared, rows = config.shared, len(data.train)
    planned = shared.steps or (shared.epochs or 1) * -(-rows // config.rows_per_step(rows))
    steps = max(1, min(FLIP_STEPS, int(planned * FLIP_SHARE)))  # for each of the two trainings
    loss_N, flipped_N = (_losses(data, layers, config, steps, flip) for flip in (False, True))
    gain_N = loss_N - flipped_N
    error = float(gain_N.std()) / math.sqrt(len(gain_N))
    flip = float(gain_N.mean()) > error  # False if one of them diverged
    sentence = (
        _(
            "Pictures are mirrored: in a trial of {steps} steps the loss on {rows} validation rows was"
            " {before:.4g} without flips and {after:.4g} with them: a gain above its standard error,"
            " {error:.2g}."
        )
        if flip
        else _(
            "Pictures are not mirrored: in a trial of {steps} steps the loss on {rows} validation rows was"
            " {before:.4g} without flips and {after:.4g} with them: no gain above its standard error,"
            " {error:.2g}."
        )
    )
    facts = {"before": float(loss_N.mean()), "after": float(flipped_N.mean()), "error": error}
    return settings.decided("data", sentence.format(steps=steps, rows=len(gain_N), **facts), flip=flip)


def _losses(data: Data, net: CNN, config: TrainConfig, steps: int, flip: bool) -> Tensor:
    """``[N]``: the loss of each validation row after a short training."""
    training = _trained(data, net, config.with_settings(flip=flip, keep="last"), steps)
    with torch_threads(1), torch.no_grad():
        setup, population = training.setup, training.state.population
        assert setup.validation is not None
        output_1NC, y = outputs_on(
            setup.validation.rows, setup.kernel, setup.model, population, torch.tensor([0])
        )
        loss_N, weight_N = setup.model.loss.rows(output_1NC[0].double().cpu(), y.cpu())
    return loss_N / weight_N.mean()


def _trained(data: Data, net: NetSource, config: TrainConfig, steps: int) -> TrainingLoop:
    """A training after so many steps, in one thread."""
    short = config.with_settings(epochs=None, steps=steps, patience=0, warmup=0)
    training = TrainingLoop(*set_up(data, net, short))
    with torch_threads(1):
        for _tick in training:
            pass
    return training


# ---- whether the logarithm of a target is learnt

LOG_STEPS = 500
COUNTED = 0.99  # quantile at which errors are capped: of a skewed target, single rows would decide


def choose_log(s: Settings, of: TrainingSource) -> Settings:
    """Decide ``log_target``.

    A trial is made for a skewed target above 0, by the recipe for tables: its logarithm is learnt if the
    squared error of the validation rows in the target's own unit, capped, falls by more than the standard
    error of its difference, row by row. It does without trees, which take as long to fit as all else.
    """
    data = of.data
    usual = (s.recipe, s.log_target, s.net) == ("table", None, None) and not (of.repeated or of.single)
    if (
        not usual
        or data.preparation.link.kind != "identity"
        or data.classes
        or len(data.by_target) > 1
        or len(data.validation) < FEWEST_ROWS
    ):
        return s
    value_N, held_N = (
        data.preparation.values(rows.y[:, 0].double()) for rows in (data.train, data.validation)
    )
    apart_N = value_N - value_N.mean()
    skewed = apart_N.pow(3).mean() > apart_N.square().mean().pow(1.5)  # a skewness above 1
    if not skewed or floor_of(float(value_N.min()), data.target_scale) is None:
        return s
    treeless, errors_2N = s.model_copy(update={"trees": 0}), []
    try:
        logged = of.load(treeless.model_copy(update={"log_target": True}))
    except TreinoError:  # some row holds a 0 or less
        return s
    for rows in (of.load(treeless) if data.preparation.trees else data, logged):
        training = _trained(rows, *decide(_alone(treeless), rows), LOG_STEPS)
        answer_N = rows.preparation.values(outputs(training.answer(), rows.validation.x)[:, 0].double())
        error_N = (answer_N.clamp(value_N.min(), value_N.max()) - held_N).square()
        errors_2N.append(error_N if rows.validation.weight is None else error_N * rows.validation.weight)
    cap = torch.quantile(torch.maximum(*errors_2N), COUNTED)
    before_N, after_N = (error_N.clamp(max=cap) for error_N in errors_2N)
    gain_N = before_N - after_N
    log = bool(gain_N.mean() > gain_N.std() / math.sqrt(len(gain_N)))
    facts = {"before": float(before_N.mean().sqrt()), "after": float(after_N.mean().sqrt())}
    sentence = _(
        "A short trial of {steps:,} steps chose {flag}: on {rows:,} validation rows, with the largest errors "
        "capped, the RMSE was {before:.4g} with '{name}' as it is, and {after:.4g} with its logarithm. The "
        "figures of the whole training cap nothing."
    )
    facts |= {"steps": LOG_STEPS, "rows": len(gain_N)}
    if log:
        of.prepared = of.load(s.model_copy(update={"log_target": True}))
    reason = sentence.format(name=data.target, flag=setting("log_target", log), **facts)
    return s.decided("data", reason, log_target=log)


# ---- the number of networks that a time limit allows

MOST = 64  # maximum number of networks; more improve next to nothing
TRIAL = 0.1  # share of the limit that the trial takes at most
USUAL_LENGTH = 0.4  # share of the planned steps that networks of the recipe train for on average
PLANNED = 0.9  # share of the time left that the networks are planned for
PIECE = 0.05  # seconds of training between two checks of the clock


@dataclass(frozen=True)
class Speed:
    """How fast a trial was. members: its networks. seconds: its duration. whole: estimated seconds of their
    whole training."""

    members: int
    seconds: float
    whole: float


def measured_speed(settings: Settings, data: Data, limit: float) -> Speed:
    """Train the recipe's networks for a short while."""
    training = TrainingLoop(*set_up(data, *decide(settings, data)))
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


def choose_members(settings: Settings, of: TrainingSource) -> Settings:
    """Decide how many networks of a recipe a time limit allows.

    The number becomes a setting, as if the user had set it, so that the training can be repeated without a
    clock.
    """
    limit = settings.time_limit
    if limit is None or settings.source("ensemble") != "recipe":
        return settings
    speed = measured_speed(settings, of.data, limit)
    left = limit - speed.seconds
    fit = int(speed.members * left * PLANNED / speed.whole)
    members = max(1, min(MOST, fit - fit % 4 if fit > 4 else fit))
    of.seconds = speed.seconds
    reason = _(
        "Networks that fit into {limit:g} seconds: {n}. By a trial of {seconds:.2g} seconds {few} take about "
        "{whole:.2g}."
    )
    if fit < 1:
        reason = _(
            "{limit:g} seconds look too short for one network: by a trial of {seconds:.2g} seconds {few} "
            "take about {whole:.2g}. One is trained all the same."
        )
    facts = {"few": speed.members, "whole": speed.whole, "seconds": speed.seconds}
    return settings.decided("data", reason.format(n=members, limit=limit, **facts), ensemble=members)


# ---- at the end


def limit_message(engine: TrainingLoop, limit: float, seconds: float) -> str:
    """A sentence on a training that the time limit ends after ``seconds``."""
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


# ---- all choices


def choose_network(settings: Settings, of: TrainingSource) -> Settings:
    """Decide a network for pictures."""
    return settings if of.repeated or of.own_network(settings) else with_net(settings, of.data)


CHOICES = (choose_recipe, choose_log, choose_rate, choose_members, choose_network, choose_flips)
"""All that is decided before one network, or several alike, are trained, in order. Each choice is a function
of the settings and of what is trained on; it returns the settings with the reason."""


def chosen(settings: Settings, of: TrainingSource) -> Settings:
    """The settings after all ``CHOICES``."""
    for choose in CHOICES:
        settings = choose(settings, of)
    return settings
