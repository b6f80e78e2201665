"""A sweep on a cluster: which device holds it here, who trains, and on what."""

from treino.cluster.cluster import Cluster
from treino.cluster.ray_task import processor_kind
from treino.errors import TreinoError
from treino.tuning.bracket import TrainingBracket
from treino.tuning.distribution import Distribution
from treino.tuning.sweep_state import SweepTraining
from treino.words import _, setting


def device_here(device: str, gpus_per_chunk: float | None) -> str:
    """The device on which this process holds the networks that others train: always the CPU.

    Raises:
        TreinoError: the device that was asked for is none that the chunks have.
    """
    fitting = ("auto", "cpu") if gpus_per_chunk is None else ("auto", "cuda")
    if device in fitting:
        return "cpu"
    raise TreinoError(
        "device_on_cluster",
        _("The chunks on a cluster have processors and, where that is asked for, GPUs; not {what}.").format(
            what=setting("device", device)
        ),
        _("Use [[gpus_per_chunk=1]] for GPUs, leave it out for processors, and leave the device open."),
    )


def distribute(sweep: SweepTraining, cluster: Cluster | None) -> None:
    """Have the cluster train the sweep's networks, where there is one."""
    if cluster is not None:
        sweep.distribution = Distribution(cluster, sweep.data.name, sweep.processors)


def note_processor(sweep: SweepTraining, bracket: TrainingBracket) -> None:
    """Note who goes on in this process, of a sweep that a cluster began."""
    if sweep.distribution is None and sweep.processors:
        running = [
            group.members[row]
            for group, training in zip(bracket.groups, bracket.trainings, strict=True)
            for row in training.state.running.tolist()
        ]
        sweep.processors.setdefault(processor_kind(), set()).update(running)
