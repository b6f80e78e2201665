"""The arithmetic of a weight clicked in the diagram: its last update, each formula with its numbers."""

from typing import Any

from treino.errors import TreinoError, nearest
from treino.inspection.microscope import topics
from treino.inspection.microscope.run_explanation import kind, topic_name
from treino.plots.explain_text import document
from treino.records.stored_run import StoredRun
from treino.reports.explanation import update_after, weight_index
from treino.training.replay import Snapshot, snapshots
from treino.words import _


def before_update(run: StoredRun, step: int, data: Any = None) -> Snapshot:
    """The run before the update that led to ``step``.

    data: the Dataset again, for a run that was trained on one.

    Raises:
        TreinoError: step 0, before any update; as ``snapshots``.
    """
    if step == 0:
        raise TreinoError(
            "arithmetic_no_update",
            _("At step 0 no weight has been updated yet."),
            _("Take a step, and look again."),
        )
    (snapshot,) = snapshots(run, [step - 1], data)
    return snapshot


def arithmetic(
    snapshot: Snapshot, layer: str | None = None, unit: int | None = None, input: int | None = None
) -> dict[str, Any]:
    """The update of one weight that follows the snapshot, as ``treino explain OPTIMIZER --json`` has it:
    ``title, steps[{title, symbols, numbers, value}], checks[…]``, and which weight it is: ``layer, unit,
    input``.

    The first call in a process takes a second: torch's optimizers, which check it, load their compiler.

    layer: a module's name, such as ``"0"``. unit, input: counted from 0; input None: the unit's bias.
    layer None: the weight of the first layer that this batch moves most.

    Raises:
        TreinoError: no such weight; a network that is no chain of layers, or a batch that is too large to be
            worked by hand; a loss or gradient that is not finite.
    """
    update = update_after(snapshot, None)
    names = [each.name for each in update.layers]
    if layer is not None:
        if layer not in names:
            raise TreinoError(
                "arithmetic_layer",
                _("The network has no layer of weights named {name!r}.").format(name=layer),
                nearest(layer, names),
            )
        weight = (names.index(layer), unit or 0, *(() if input is None else (input,)))
        update = update.placed(weight_index(snapshot.run, weight, update.layers))
    topic = topics()[topic_name(kind(update))]
    place = update.place
    where = {"layer": names[place.layer], "unit": place.i, "input": place.j}
    return document(topic.of(update)) | where
