"""Resume runs on a user's Dataset or DataLoader, and write the notes on how a run went."""

from typing import Any

import torch
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.base.words import N_, _
from treino.data import load
from treino.data.dataset import Data
from treino.data.documents import DataSource
from treino.data.mapped_rows import parts
from treino.data.rows import Rows, is_stream
from treino.data.rows_in_memory import digest, splits_not_in_memory, why_not_reproducible
from treino.data.splits import split_name
from treino.folders.store import RunFolder
from treino.inspection.outputs import outputs

DATA_WANTED = Refusal(
    "data_wanted",
    N_("{run} was trained on {what}, which was given in Python."),
    N_("Give it again: {call}."),
)
DATA_CHANGED = Refusal(
    "data_changed",
    N_("This is not the data that {run} was trained on: its items, targets or parts differ."),
    N_("Give what was given then, or train a new run on this."),
)

WAITED_MUCH = 0.1  # minimum share of the training time for a note


def user_data_reference(data: Data) -> dict[str, Any]:
    """The entries of ``spec.json`` on data that is neither in a file nor in memory."""
    return {"digest": digest(data), "streams": streams(data)} if splits_not_in_memory(data) else {}


def streams(data: Data) -> bool:
    """Whether the training rows are a stream, so that training can't resume within an epoch."""
    return is_stream(data.train)


def user_data(folder: RunFolder, where: DataSource, source: Any) -> Data:
    """The data of a run that was trained on a Dataset or DataLoader. source: that object, passed again.

    Raises:
        TreinoError: the object is missing, or has other rows.
    """
    name = folder.path.name
    if source is None:
        raise DATA_WANTED(run=name, what=where.source, call=f"treino.open('{name}').resume(data)")
    data = (
        source
        if isinstance(source, Data)
        else load(source, **where.load.model_dump(mode="json", exclude_unset=True))
    )
    if not splits_not_in_memory(data) or digest(data) != where.digest:
        raise DATA_CHANGED(run=name)
    return data


def resumption_facts(data: Data, lost: int) -> dict[str, str]:
    """A message for a run that can't be resumed exactly; empty for others. lost: the steps after the last
    checkpoint."""
    if not why_not_reproducible(data):
        return {}
    place = (
        _("from the last epoch's border, in an order of its own from there on")
        if streams(data)
        else _("in the order that it would have had, with items read anew")
    )
    return {"message": _("Went on {place}; steps made again on other rows: {n}.").format(place=place, n=lost)}


PAST_LIMIT = "time_limit"  # the event of a training that a time limit ended
FIRED, NOT_NOTIFIED = "alert", "alert_failed"  # the events of alerts that fired, or could not notify


def resumed_notes(folder: RunFolder) -> list[str]:
    """The messages of all resumptions, of failures of the network or the data, of a time limit's end, and of
    alerts."""
    kinds = ("resumed", "failed", PAST_LIMIT, FIRED, NOT_NOTIFIED)
    messages = (event.facts.get("message") for event in folder.database.events() if event.kind in kinds)
    return [message for message in messages if message]


def past_limit(folder: RunFolder) -> bool:
    """Whether a time limit ended the training."""
    return any(event.kind == PAST_LIMIT for event in folder.database.events())


def waited_notes(waited: float) -> list[str]:
    if waited <= WAITED_MUCH:
        return []
    return [
        _(
            "Training waited for its data {share:.0%} of the time. More num_workers read ahead; items"
            " that are always the same and fit in memory are not waited for."
        ).format(share=waited)
    ]


def fewer_notes(data: Data, held: Data) -> list[str]:
    """A note if baselines were fitted and measured on a sample of the rows. held: the sample."""
    if len(held.test) == len(data.test):
        return []
    return [
        _(
            "The figures to compare with were fitted on {n:,} training rows, and are of {m:,} test rows."
        ).format(n=len(held.train), m=len(held.test))
    ]


def unanswered_notes(split: str, output_NC: Tensor) -> list[str]:
    """A note if the split has no metrics because an output of the network is NaN."""
    without = int(output_NC.isnan().any(dim=1).sum())
    if not without:
        return []
    return [
        _("The network's output is NaN in {n:,} of {of:,} {split} rows: there is no figure of them.").format(
            n=without, of=len(output_NC), split=split_name(split)
        )
    ]


def answers(net: nn.Module, rows: Rows, item_shape: tuple[int, ...] | None) -> tuple[Tensor, Tensor]:
    """The network's outputs ``[N, C]`` for rows in memory or on disk, and y in the same order."""
    pairs = [(outputs(net, x, item_shape=item_shape), y) for x, y in parts(rows.x, rows.y)]
    return torch.cat([out for out, _y in pairs]), torch.cat([y for _out, y in pairs])
