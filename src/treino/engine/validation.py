"""Validation: the metrics of members on validation rows."""

from dataclasses import dataclass

import torch
from torch import Tensor

from treino.data.mapped_rows import part_rows
from treino.engine.batch_sources import KernelRows, as_kernel_input
from treino.engine.devices import torch_context
from treino.engine.ensemble import mean_output
from treino.engine.kernels import Kernel
from treino.engine.metrics import batch_deviation, measure
from treino.engine.population import Population
from treino.engine.shared_config import SharedConfig

OUTPUTS_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class Validation:
    """Measures members on validation rows. rows: the validation rows. outputs: numbers of a member per row.
    scale: of a regression's target. batch_size: rows of a training batch (None: all), for the deviation of
    the loss over such batches."""

    kernel: Kernel
    shared: SharedConfig
    rows: KernelRows
    outputs: int
    scale: float
    batch_size: int | None

    def measure(self, population: Population, members: Tensor) -> tuple[dict[str, Tensor], float | None]:
        """``{metric: [P] float64}``, NaN for other members, and the deviation of the loss for a population of
        one."""
        metrics: dict[str, Tensor] = {}
        deviation = None
        with torch_context(self.kernel.intra_op_threads):
            for part in members.split(self._at_once):
                output_RNC, y = outputs_on(self.rows, self.kernel, self.shared, population, part)
                for name, value_R in measure(output_RNC, y, self.shared.loss, self.scale).items():
                    empty_P = torch.full((len(population),), torch.nan, dtype=torch.float64)
                    metrics.setdefault(name, empty_P)[part] = value_R
            if len(population) == 1:
                deviation = batch_deviation(output_RNC[0], y, self.shared.loss, self.batch_size)
        return metrics, deviation

    def measure_together(self, population: Population, members: Tensor) -> tuple[dict[str, float], float]:
        """``{metric: figure}`` of the mean answer of these members, and the deviation of its loss."""
        loss, outputs = self.shared.loss, []
        with torch_context(self.kernel.intra_op_threads):
            for part in members.split(self._at_once):
                output_RNC, y = outputs_on(self.rows, self.kernel, self.shared, population, part)
                outputs.append(output_RNC)
            limits = None if self.shared.limits is None else torch.tensor(self.shared.limits)
            answer_NC = mean_output(torch.cat(outputs), loss.name, limits)
            figures = measure(answer_NC.unsqueeze(0), y, loss, self.scale)
            deviation = batch_deviation(answer_NC, y, loss, self.batch_size)
        return {name: float(value_R[0]) for name, value_R in figures.items()}, deviation

    @property
    def _at_once(self) -> int:
        """The number of members whose outputs are computed at once."""
        return max(1, OUTPUTS_AT_ONCE // (len(self.rows.x) * self.outputs))


def outputs_on(
    rows: KernelRows, kernel: Kernel, shared: SharedConfig, population: Population, members: Tensor
) -> tuple[Tensor, Tensor]:
    """Outputs ``[R, N, C]`` of these members for all rows, and y in the same order; part by part if the rows
    are on disk."""
    if isinstance(rows.x, Tensor):
        return kernel.outputs(population, members, rows.x), rows.y
    outputs, targets = [], []
    for x, y in rows.x.parts(rows.y, part_rows(rows.x)):
        outputs.append(kernel.outputs(population, members, as_kernel_input(x, shared)))
        targets.append(shared.loss.target(y, shared.dtype))
    return torch.cat(outputs, 1), torch.cat(targets)
