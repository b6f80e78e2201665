"""A sweep on a cluster: who trains, and on what."""

from treino.cluster.cluster import Cluster
from treino.cluster.ray_task import processor_kind
from treino.tuning.bracket import TrainingBracket
from treino.tuning.distribution import Distribution
from treino.tuning.sweep_state import SweepTraining


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
