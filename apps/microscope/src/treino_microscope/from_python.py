"""The explanation of one update of a run: its step, prepared for the microscope."""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.formula import Array
from treino.base.text import that_hold, whole_number
from treino.base.words import _
from treino.engine import HashDropout, dropout_keys, foreign, replace_dropout
from treino.folders import PAGE, OutputFile, StoredRun
from treino.settings import LAYERS
from treino.training import Snapshot, StoredSweep, last_step, open_run, snapshots
from treino_doctor.base.markup import tag
from treino_microscope.chain import read_layers
from treino_microscope.explanation import Explanation
from treino_microscope.formula_text import DIGITS
from treino_microscope.page import explain_page
from treino_microscope.reference import DenseLayer
from treino_microscope.run_explanation import kind, topic_name
from treino_microscope.text import document, plain
from treino_microscope.topics import topics
from treino_microscope.update import Update, UpdateBatch, WeightIndex, fix_masks

EXPLAIN_TOPIC = Refusal("There is no topic {name!r}.", "{hint}")
EXPLAIN_DIGITS = Refusal(
    "digits must be a whole number from 1 to 17; it is {value!r}.",
    "6 reads well; 17 shows everything that float64 holds.",
)
EXPLAIN_TOPIC_FITS_NOT = Refusal(
    "{asked} does not explain {run}: it was trained with {said}.",
    "Ask for: treino explain {theirs} {typed}, or treino explain {asked} alone.",
)
EXPLAIN_TARGETS = Refusal(
    "The loss of {run} is the mean of the cross-entropies of {n} targets, and one is worked out.",
    "Train on one of them: [[target={name}]]; or ask for a topic without a run.",
)
EXPLAIN_FOREIGN = Refusal(
    "The arithmetic of {names} is not treino's, so that {run} can't be worked out line by line.",
    "Ask for a topic without a run: treino explain backprop",
)
EXPLAIN_NO_UPDATE = Refusal("{run} has made no update.", "Train it for at least one step.")
EXPLAIN_ROW_WEIGHTS = Refusal(
    "The rows of {run} have weights, which the explanations don't work out.",
    "Explain a run without [[row_weights]].",
)
EXPLAIN_SIZE = Refusal(
    "The batch has {rows:,} rows; in this network that is {n:,} numbers to work by hand.",
    "Train with a smaller [[batch_size]], and explain that run.",
)
EXPLAIN_GATES_CLIP = Refusal(
    "{run} clips a gradient of which the gates of its columns are a part.",
    "Explain a run without [[gates]], or without [[clip]].",
)
EXPLAIN_NOT_FINITE = Refusal(
    "After {step:,} updates the loss or a gradient of {run} is not finite any more.",
    "Look at an earlier update, e.g. [[step=0]].",
)
WEIGHT_FORM = Refusal("{weight} names no weight.", "{hint}")
WEIGHT_RANGE = Refusal("There is no weight {weight}.", "{hint}")
NO_BIASES = Refusal("Layer {n} has no biases.", "{hint}", rule="weight_range")
ARITHMETIC_LAYER = Refusal("The network has no layer of weights named {name!r}.", "{hint}")
EXPLAIN_RUN_WANTED = Refusal(
    "A step, a weight or a member is one of a run, and no run is named.",
    "Name one: treino explain {topic} last [[step=2]]",
)

USUAL_STEP = 2  # the third update, at which the optimizer's state, if any, is no longer zero
LARGEST = 20_000_000  # largest batch (rows times widths, in numbers) that is computed by hand


@dataclass(frozen=True)
class ExplanationPage:
    """An explanation to show: in a notebook itself, in a terminal with ``str``, as a page with ``save``.

    digits: significant digits shown; everything is computed in full precision.
    """

    explanation: Explanation
    digits: int = DIGITS

    @property
    def holds(self) -> bool:
        """Whether all checks hold."""
        return self.explanation.holds

    @property
    def document(self) -> dict[str, Any]:
        """Return topic, steps and checks as a dict, as ``--json`` prints them."""
        return document(self.explanation, self.digits)

    def html(self) -> str:
        """Return a self-contained page with formulas as MathML."""
        return str(explain_page(self.explanation, self.digits))

    def save(self, to: str | Path, *, replace: bool = False) -> Path:
        """Write the page to a file ``NAME.html`` and return its path. replace: overwrite an existing file.

        Raises:
            TreinoError: a file exists and isn't to be replaced, or is a run's and never replaced; the name
                doesn't end in .html; writing failed.
        """
        output = OutputFile(to, PAGE, replace=replace, new_folders=True)
        return output.write(self.html().encode())

    def _repr_html_(self) -> str:
        return tag("iframe", srcdoc=self.html(), style="width:100%;height:70vh;border:0")

    def __str__(self) -> str:
        return plain(self.explanation, self.digits)

    __repr__ = __str__


def explain(
    topic: str,
    run: StoredRun | StoredSweep | str | Path | None = None,
    *,
    step: int | None = None,
    weight: tuple[int, ...] | str | None = None,
    member: int | None = None,
    digits: int = DIGITS,
    as_taught: bool = False,
) -> ExplanationPage:
    """Explain the arithmetic of a topic: each formula in symbols and in numbers, checked with torch.

    topic: a name of ``treino explain``, e.g. ``adam``. run: a run, a sweep (its winner), or its name; None:
    a built-in example. step: number of updates before the one explained (0: the first; default: the third).
    weight: ``(layer, i, j)`` counted from 0, from input j to unit i, or ``(layer, i)`` for a bias; default:
    the weight of the first layer with the largest gradient. member: which ensemble member, from 0; default:
    the best one. digits: significant digits shown, from 1 to 17. as_taught: show what the course says, too.

    Raises:
        TreinoError: an unknown topic (the hint names the nearest); a topic that does not fit the run; a step
            or weight that the run does not have; a network that is no chain of layers.
    """
    known = topics()
    if topic not in known:
        raise EXPLAIN_TOPIC(name=topic, hint=nearest(str(topic), known))
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= 17:
        raise EXPLAIN_DIGITS(value=digits)
    if run is None:
        if step is not None or weight is not None or member is not None:
            raise EXPLAIN_RUN_WANTED(topic=topic)
        example = known[topic].example()
        parts = tuple(part for part in example.parts if as_taught or not part.taught)
        return ExplanationPage(replace(example, parts=parts), digits)

    opened = open_run(run) if isinstance(run, str | Path) else run
    one = opened.best if isinstance(opened, StoredSweep) else opened
    update = update_of(one.member(member), step, weight)
    own = known[topic].own
    theirs, said = own(update) if own else (topic, "")
    if theirs != topic:
        raise EXPLAIN_TOPIC_FITS_NOT(
            asked=topic, run=update.run, said=said, theirs=theirs, typed=update.typed
        )
    return ExplanationPage(known[topic].of(update), digits)


def topics_of(run: StoredRun | StoredSweep) -> list[str]:
    """The names of the topics that fit a run, or the winner of a sweep: its own loss, its own optimizer, …

    Raises:
        TreinoError: as ``explain``.
    """
    update = update_of(run.best if isinstance(run, StoredSweep) else run.member(None), None, None)
    return [name for name, t in topics().items() if t.own is None or t.own(update)[0] == name]


def update_of(run: StoredRun, step: int | None, weight: tuple[int, ...] | str | None) -> Update:
    """Return the update that follows ``step`` updates of a run, with all that its arithmetic needs.

    Raises:
        TreinoError: as ``explain``.
    """
    if run.loss_function.classes:
        raise EXPLAIN_TARGETS(
            run=run.name, n=len(run.loss_function.classes), name=run.by_target[0].preparation.target
        )
    _check_arithmetic(run.name, run.settings)
    snapshots(run, [0])  # raises if the run can't be replayed
    last = last_step(run)
    if last < 1:
        raise EXPLAIN_NO_UPDATE(run=run.name)
    first = min(USUAL_STEP, last - 1) if step is None else step
    if isinstance(first, bool) or not isinstance(first, int) or not 0 <= first < last:
        raise TreinoError(
            "step_range",
            _("{run} made {last:,} updates; there is none after {step!r} updates.").format(
                run=run.name, last=last, step=first
            ),
            _("Give [[step=0]], for the first one, to {last}.").format(last=last - 1),
        )
    now, *later = snapshots(run, [s for s in range(first, first + 4) if s <= last])
    return update_after(now, weight, later)


def _check_arithmetic(name: str, settings: Mapping[str, Any]) -> None:
    """Refuse entries whose arithmetic isn't treino's. name: the run's."""
    if names := foreign({each: settings.get(each) for each in ("activation", "loss", "optimizer")}):
        raise EXPLAIN_FOREIGN(run=name, names=", ".join(names))


def update_after(
    now: Snapshot, weight: tuple[int, ...] | str | None, later: Sequence[Snapshot] = ()
) -> Update:
    """Return the update that follows a snapshot. later: the snapshots after the next steps, as needed.

    Raises:
        TreinoError: as ``explain``.
    """
    run, after = now.run, later[0] if later else None
    _check_arithmetic(run.name, now.settings)
    if now.data.train.weight is not None:
        raise EXPLAIN_ROW_WEIGHTS(run=run.name)
    net = now.trained_net.cpu()
    layers = read_layers(net)
    moments = (now, *later[:-1])
    alike = [moment for moment in moments if moment.segment == now.segment]  # others may have other layers
    batches = tuple(_batch(run, moment, layers) for moment in alike[:3])
    size = len(batches[0].x) * (batches[0].x.shape[1] + sum(len(layer.b) for layer in layers))
    if size > LARGEST:
        raise EXPLAIN_SIZE(rows=len(batches[0].x), n=size)
    if now.gate_D is not None and math.isfinite(now.hp["clip"]):
        raise EXPLAIN_GATES_CLIP(run=run.name)
    data, settings = now.data, now.settings
    place = WeightIndex(0, 0, 0) if weight is None else weight_index(run, weight, layers)
    update = Update(
        run.typed.removeprefix("runs/"),  # for a sweep's winner, the sweep's name is in it
        run.typed,
        now.step,
        fix_masks(net).double(),
        layers,
        batches,
        now.loss_function,
        settings["optimizer"],
        settings["nesterov"],
        now.hp,
        {name: _arrays(state) for name, state in now.state.items()},
        _arrays(now.gradients) or None,
        place,
        tuple(data.classes),
        tuple(data.preparation.inputs),
        None if after is None else after.loss,
        None
        if after is None or not _same_layers(now, after)
        else _arrays(dict(after.trained_net.named_parameters())),
        tuple(_notes(settings, now)),
        now.plan.optimizer_from,
    )
    if not update.finite:
        raise EXPLAIN_NOT_FINITE(step=now.step, run=run.name)
    return update if weight is not None else update.placed(_largest(update))


def arithmetic(
    snapshot: Snapshot, layer: str | None = None, unit: int | None = None, input: int | None = None
) -> dict[str, Any]:
    """The arithmetic of the next update of one weight after the snapshot, as ``treino explain OPTIMIZER
    --json`` gives it: ``title, steps[{title, symbols, numbers, value}], checks[…]``, and the place of the
    weight: ``layer, unit, input``.

    The first call in a process takes a second: torch's optimizers, which check it, load their compiler.

    layer: a module's name, such as ``"0"``. unit, input: counted from 0; input None: the unit's bias.
    layer None: the weight of the first layer that the update changes most.

    Raises:
        TreinoError: the weight doesn't exist; the network is no chain of layers; the batch is too large for
            the calculation; the loss or the gradient is not finite.
    """
    update = update_after(snapshot, None)
    names = [each.name for each in update.layers]
    if layer is not None:
        if layer not in names:
            raise ARITHMETIC_LAYER(name=layer, hint=nearest(layer, names))
        weight = (names.index(layer), unit or 0, *(() if input is None else (input,)))
        update = update.placed(weight_index(snapshot.run, weight, update.layers))
    topic = topics()[topic_name(kind(update))]
    place = update.place
    where = {"layer": names[place.layer], "unit": place.i, "input": place.j}
    return document(topic.of(update)) | where


def _same_layers(now: Snapshot, after: Snapshot) -> bool:
    """Whether ``after`` has the layers of ``now``; a new segment may have grown them."""
    shapes = ({n: p.shape for n, p in moment.trained_net.named_parameters()} for moment in (now, after))
    return next(shapes) == next(shapes)


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, Array]:
    return {name: t.detach().double().cpu().numpy().copy() for name, t in tensors.items()}


def _batch(run: StoredRun, moment: Snapshot, layers: tuple[DenseLayer, ...]) -> UpdateBatch:
    batch = moment.batch
    x_BD = batch.x_BD.double().cpu().reshape(len(batch.x_BD), -1)
    x = (x_BD if moment.gate_D is None else x_BD * moment.gate_D.double()).numpy()
    y = moment.loss_function.target(batch.y_B, torch.float64).cpu().numpy()
    rows = moment.data.train.index[batch.index_B].numpy()
    return UpdateBatch(rows, x, y, _masks(run, moment, layers, len(x)))


def _masks(run: StoredRun, moment: Snapshot, layers: tuple[DenseLayer, ...], rows: int) -> tuple[Array, ...]:
    """Return the run's dropout masks of this update, which depend on seed, layer and step alone."""
    net = copy.deepcopy(moment.trained_net).cpu().train()
    drawn = replace_dropout(net)  # in the order in which the run draws masks
    a, b = dropout_keys(torch.tensor([moment.seed]), len(drawn), moment.step, 1)
    for place, drop in enumerate(drawn):
        drop.begin((int(a[0, place, 0]), int(b[0, place, 0])))
    widths = {layer.drop: len(layer.b) for layer in layers}
    masks = []
    for place, drop in enumerate(m for m in net.modules() if isinstance(m, HashDropout)):
        if run.spec.net in LAYERS:
            drop.rate = moment.hp["dropout"]
        kept = drop(torch.ones(rows, widths.get(place, 1))).numpy() > 0
        masks.append(kept / (1 - drop.rate))
    return tuple(masks)


def weight_index(
    run: StoredRun, weight: tuple[int, ...] | str, layers: tuple[DenseLayer, ...]
) -> WeightIndex:
    """Return the weight ``(layer, unit, input)`` or bias ``(layer, unit)``, also from text with commas.

    Raises:
        TreinoError: not a weight's index, or one that the network doesn't have.
    """
    numbers: tuple[Any, ...]
    if isinstance(weight, str):
        parts = [part.strip() for part in weight.split(",")]
        numbers = tuple(p if (n := whole_number(p)) is None else n for p in parts)
    else:
        numbers = tuple(weight)
    shapes = "; ".join(
        _("layer {n} (module {module}): {H:,} units of {D:,} inputs").format(
            n=n, module=layer.name, H=len(layer.W), D=len(layer.W[0])
        )
        for n, layer in enumerate(layers)
    )
    hint = _("{run} has {shapes}. Write layer,unit,input counted from 0, or layer,unit for a bias.").format(
        run=run.name, shapes=shapes
    )
    written = ",".join(map(str, numbers))
    if len(numbers) not in (2, 3) or not all(
        isinstance(n, int | np.integer) and not isinstance(n, bool) for n in numbers
    ):
        raise WEIGHT_FORM(weight=written, hint=hint)
    limits = [len(layers)]
    if 0 <= numbers[0] < len(layers):
        limits += layers[numbers[0]].W.shape
    if not all(0 <= n < limit for n, limit in zip(numbers, limits, strict=False)) or len(limits) == 1:
        raise WEIGHT_RANGE(weight=written, hint=hint)
    if len(numbers) == 2 and not layers[numbers[0]].bias:
        raise NO_BIASES(n=numbers[0], hint=hint)
    return WeightIndex(int(numbers[0]), int(numbers[1]), int(numbers[2]) if len(numbers) == 3 else None)


def _largest(update: Update) -> WeightIndex:
    """Return the weight of the first layer with the largest gradient."""
    g = np.abs(update.gradients[update.layers[0].parameter("weight")])
    i, j = (int(n) for n in np.unravel_index(int(g.argmax()), g.shape))
    return WeightIndex(0, i, j)


def _notes(settings: dict[str, Any], now: Snapshot) -> list[str]:
    """Note what this training does besides the plain arithmetic."""
    sentences = {
        _("This is network {n} of the {members} that are trained side by side."): settings["ensemble"] > 1,
        _("The inputs are shown times the gates of their columns, as the first layer gets them."): (
            now.gate_D is not None
        ),
        _("The learning rate is {now:g} in this update: the {name} schedule, warm-up {warmup:,}."): (
            settings["schedule"] != "constant" or settings["warmup"]
        ),
        _("Dropout {rate:g}: the very units that the run dropped in this update are dropped here."): (
            now.hp["dropout"] > 0
        ),
    }
    facts = {"n": now.member, "members": settings["ensemble"], "now": now.hp["lr"], "rate": now.hp["dropout"]}
    facts |= {"name": settings["schedule"], "warmup": settings["warmup"]}
    notes = that_hold(sentences, **facts)
    return notes + [_("The fault {name}, on purpose.").format(name=fault) for fault in settings["fault"]]
