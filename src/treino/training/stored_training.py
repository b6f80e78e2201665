"""The training of a run, made again from its folder, to resume or replay it."""

from collections.abc import Sequence
from dataclasses import replace

from treino.data.dataset import Data
from treino.documents import read_checkpoint, read_tensors
from treino.documents.run_spec import RunSpec
from treino.engine import MLP, Training
from treino.engine.warm_start import warm_start
from treino.records.access import Access
from treino.records.kept_layers import check_layers, check_row
from treino.records.network_answers import ANSWERS, check_answers
from treino.records.network_source import run_network
from treino.records.segments import Segment, newest, past_of, setting_commands, shown_settings
from treino.spec import read_settings
from treino.store import RunFolder
from treino.training.keyframe_files import name_of
from treino.training.resolution import Plan, decide, plan

START = "start.safetensors"
MACHINE = ("engine", "threads", "device")


def rebuilt(
    folder: RunFolder,
    spec: RunSpec,
    data: Data,
    access: Access,
    segment: Segment | None = None,
    *,
    kept: bool = True,
) -> Plan:
    """The run's training before its first step, with the kernel that it had and the weights it began with.

    segment: whose settings it has; default the newest. kept: whether there are weights of it.

    Raises:
        TreinoError: its network is the user's own, and its code may not run, or is another network's.
    """
    segment = segment or newest(spec)
    settings = read_settings({**segment.asked} | {name: getattr(spec.resolved, name) for name in MACHINE})
    if spec.net == "mlp" and kept:
        layers, _arguments = decide(settings, data)
        assert isinstance(layers, MLP)
        sizes = [data.inputs, *layers.hidden, spec.outputs]
        start = name_of(segment.number, segment.start)
        if not layers.batch_norm and folder.has(start):
            check_row(sizes, read_tensors(folder, start)[0]["params"].shape[-1], folder.path.name)
        elif (shapes := _stored_shapes(folder)) is not None:
            check_layers(sizes, shapes, folder.path.name)
    own = None if spec.net == "mlp" else run_network(folder, spec.net, settings.net, access, settings.seed)
    planned = plan(settings, data, own, past_of(spec, segment))
    if folder.has(START) and (segment.origin is None or spec.net != "mlp"):
        weights, known = read_tensors(folder, START)
        warm_start(planned.training.shared, planned.training.state, weights)
        if spec.net != "mlp":
            answers = known.get(ANSWERS)
            check_answers(planned.training.net(0, "last"), data.item_shape, answers, folder.path.name)
    return replace(planned, settings=shown_settings(spec, planned.settings, segment.number))


def _stored_shapes(folder: RunFolder) -> list[Sequence[int]] | None:
    """Of the tensors of the network, as far as any are kept."""
    for name in ("model.safetensors", START):
        if folder.has(name):
            return [tensor.shape for tensor in read_tensors(folder, name)[0].values()]
    kept = read_checkpoint(folder)
    return None if kept is None else kept[1]["engine"]["identity"]["shapes"]


def obey_again(folder: RunFolder, training: Training, segment: Segment, known: set[int], since: int) -> None:
    """Apply the run's recorded commands of this segment from step ``since`` on, but for ``known``."""
    if since == segment.start:
        for name, value in segment.changes.items():
            training.set(name, value)
    for command in setting_commands(folder):
        told = command.id not in known
        in_segment = (command.segment or 0) == segment.number
        if told and in_segment and command.step is not None and command.step >= since:
            training.set(command.name, command.value, command.step)
