"""The training of a run once more, as its folder tells it: to go on with, or to play again."""

from dataclasses import replace
from typing import Any

from torch import nn

from treino.data.dataset import Data
from treino.documents import read_tensors
from treino.engine import Training, begin_from
from treino.errors import TreinoError
from treino.records.segments import Segment, newest, shown_settings
from treino.records.user_network import COPY as NET_COPY
from treino.records.user_network import own_net
from treino.spec import read_settings
from treino.store import RunFolder
from treino.training.resolution import Plan, plan
from treino.words import _

START = "start.safetensors"
MACHINE = ("engine", "threads", "device")


def rebuilt(
    folder: RunFolder,
    spec: dict[str, Any],
    data: Data,
    net: nn.Module | str | None,
    trust: bool,
    segment: Segment | None = None,
) -> Plan:
    """The run's training before its first step, with the kernel that it had and the weights it began with.

    segment: whose settings it has; default the newest.

    Raises:
        TreinoError: its network is the user's own, and neither given again nor trusted.
    """
    segment = segment or newest(spec)
    settings = read_settings({**segment.asked} | {name: spec["resolved"][name] for name in MACHINE})
    planned = plan(settings, data, net_again(folder, spec, net, trust, settings.seed))
    if folder.has(START):
        begin_from(planned.training, read_tensors(folder, START)[0])
    return replace(planned, settings=shown_settings(spec, planned.settings, segment.number))


def obey_again(folder: RunFolder, training: Training, segment: Segment, known: set[int], since: int) -> None:
    """Tell the training what the run was told in this segment from step ``since`` on, but for ``known``."""
    if since == segment.start:
        for name, value in segment.changes.items():
            training.set(name, value)
    for command in folder.database.commands():
        told = command.state == "applied" and command.name != "stop" and command.id not in known
        in_segment = (command.segment or 0) == segment.number
        if told and in_segment and command.step is not None and command.step >= since:
            training.set(command.name, command.value, command.step)


def net_again(
    folder: RunFolder, spec: dict[str, Any], net: nn.Module | str | None, trust: bool, seed: int
) -> nn.Module | None:
    """The user's own network once more: given again, or from the copy in the folder where that is trusted."""
    if isinstance(net, nn.Module) or spec["net"] == "mlp":
        return net if isinstance(net, nn.Module) else None
    if net is not None:
        return own_net(net, seed)
    if spec["net"] == "given":
        raise TreinoError(
            "net_wanted",
            _("{run} trains a network that was given in Python.").format(run=folder.path.name),
            _("Give it again: --net FILE.py:NAME, or net= in Python."),
        )
    if not trust:
        raise net_not_trusted(folder)
    return own_net(str(folder.path / spec["asked"]["net"]), seed)


def net_not_trusted(folder: RunFolder) -> TreinoError:
    """The error for a network's file that lies in the folder, and that nobody said to run."""
    return TreinoError(
        "net_not_trusted",
        _("{run} holds a copy of the file that makes its network; reading a run executes nothing.").format(
            run=folder.path.name
        ),
        _("Add --trust if you trust {path}, or give your own with --net.").format(
            path=folder.path / NET_COPY
        ),
    )
