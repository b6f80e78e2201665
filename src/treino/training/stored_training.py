"""The training of a run, rebuilt from its folder, to resume or replay it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from torch import Tensor, nn

from treino.data.dataset import Data
from treino.documents import read_checkpoint, read_tensors
from treino.documents.run_spec import RunSpec
from treino.engine import MLP, TrainingLoop
from treino.engine.gates import gates_of
from treino.engine.user_module import module_copy
from treino.engine.warm_start import warm_start
from treino.records.access import Access
from treino.records.kept_layers import check_layers, check_row
from treino.records.network_answers import ANSWERS, check_answers
from treino.records.network_source import run_network
from treino.records.segments import Segment, newest, past_of, setting_commands, shown_settings
from treino.spec import Settings, read_settings
from treino.store import RunFolder
from treino.training.keyframe_files import name_of
from treino.training.resolution import Net, Resolution, decide, resolve

START = "start.safetensors"
MACHINE = ("engine", "threads", "device")


def rebuilt(
    folder: RunFolder,
    spec: RunSpec,
    data: Data,
    access: Access,
    segment: Segment | None = None,
    *,
    has_weights: bool = True,
) -> Resolution:
    """The run's training before its first step, with the original kernel and the initial weights.

    segment: whose settings it has; default: the newest. has_weights: whether weights of it are stored.

    Raises:
        TreinoError: its network is the user's own, and its code may not run, or is another network's.
    """
    segment = segment or newest(spec)
    settings = read_settings({**segment.asked} | {name: getattr(spec.resolved, name) for name in MACHINE})
    if spec.net == "mlp" and has_weights:
        layers, _arguments = decide(settings, data)
        assert isinstance(layers, MLP)
        sizes = [data.inputs, *layers.hidden, spec.outputs]
        start = name_of(segment.number, segment.start)
        if not layers.batch_norm and folder.has(start):
            gates = gates_of(data.inputs, data.input_columns, data.input_bins, 1.0).count
            numbers = read_tensors(folder, start)[0]["params"].shape[-1]
            check_row(sizes, gates if layers.gates else 0, numbers, folder.path.name)
        elif (shapes := _stored_shapes(folder)) is not None:
            check_layers(sizes, shapes, folder.path.name)
    own = None if spec.net == "mlp" else run_network(folder, spec.net, settings.net, access, settings.seed)
    resolution = resolve(settings, data, source_of(own, settings), past_of(spec, segment))
    if folder.has(START) and (segment.origin is None or spec.net != "mlp"):
        weights, known = read_tensors(folder, START)
        begin_with(resolution.training, weights)
        if spec.net != "mlp":
            answers = known.get(ANSWERS)
            check_answers(resolution.training.net(0, "last"), data.item_shape, answers, folder.path.name)
    return replace(resolution, settings=shown_settings(spec, resolution.settings, segment.number))


def source_of(own: nn.Module | None, settings: Settings) -> Net | None:
    """The network as ``resolve`` takes it. Each member of an ensemble is a copy whose first weights come from
    the folder."""
    return own if own is None or settings.ensemble == 1 else partial(module_copy, own)


def begin_with(training: TrainingLoop, weights: Mapping[str, Tensor]) -> None:
    """Set the weights with which the run began."""
    of_each = training.config.shared.ensemble > 1
    warm_start(training.shared, training.state, weights, of_each=of_each)


def _stored_shapes(folder: RunFolder) -> list[Sequence[int]] | None:
    """Shapes of the stored tensors of the network, or of the first of an ensemble; None if none are
    stored."""
    for name in ("model.safetensors", START):
        if folder.has(name):
            tensors = read_tensors(folder, name)[0].items()
            return [t.shape for n, t in tensors if not n.startswith("members.") or n.startswith("members.0.")]
    checkpoint = read_checkpoint(folder)
    return None if checkpoint is None else checkpoint[1]["engine"]["identity"]["shapes"]


def obey_again(
    folder: RunFolder, training: TrainingLoop, segment: Segment, known: set[int], since: int
) -> None:
    """Apply the run's recorded commands of this segment from step ``since`` on, without those in
    ``known``."""
    if since == segment.start:
        for name, value in segment.changes.items():
            training.set(name, value)
    for command in setting_commands(folder):
        new = command.id not in known
        in_segment = (command.segment or 0) == segment.number
        if new and in_segment and command.step is not None and command.step >= since:
            training.set(command.name, command.value, command.step)
