"""``--lr auto``: train with many learning rates side by side for a short time, and choose one.

Trying rates before a training is Smith's idea ("Cyclical learning rates for training neural networks", WACV
2017). His single network passes through all rates; here each rate trains a network of its own, with the same
seed, in one population.
"""

import copy
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from treino.base.errors import Refusal
from treino.base.words import N_, _
from treino.data.dataset import Data
from treino.engine import MLP, Net, TrainingLoop
from treino.engine.devices import torch_threads
from treino.engine.training_setup import set_up
from treino.folders.user_network import NetworkFiles, network_of
from treino.settings.spec import Settings
from treino.training.resolution import decide

LR_AUTO_DIVERGED = Refusal(
    "lr_auto_diverged",
    N_("Training diverges at every learning rate from {low:g} to {high:g}."),
    N_("Normalise the data, or see: treino data DATA"),
)

RATES = 64
FEW_RATES = 16  # for networks that are large or trained member by member
LARGE = 300_000  # parameters
LOWEST, HIGHEST = 1e-6, 1.0
STEPS = (100, 500)  # two passes over the rows, within these limits
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
        written = False
        for event in events:
            if not written:
                event.job.folder.write_json("rates.json", asdict(self))
                written = True
            yield event


def find_rate(
    data: Data,
    settings: Settings,
    module: nn.Module | None = None,
    networks: NetworkFiles = MappingProxyType({}),
) -> Rates:
    """Try the rates on the training rows, with everything else as in ``settings``.

    module, networks: a network of the user's own, as for ``treino.training.train.train_events``.

    Raises:
        TreinoError: settings that contradict the data, or every rate diverged.
    """
    own = module if module is not None else network_of(settings, networks)
    alone = {"ensemble": 1, "dropout_spread": False, "plain_members": 0}
    one = settings if settings.ensemble == 1 else settings.model_copy(update=alone)
    net, config = decide(one, data, own)
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
    return Rates(tuple(rates), tuple(losses), steps, rates[choice(losses)])


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
