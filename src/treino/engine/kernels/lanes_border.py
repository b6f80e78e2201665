"""Checks of the arguments of the library ``lanes``, which trusts every size and type."""

import torch
from torch import Tensor

from treino.engine.chunk import Batches, Chunk
from treino.engine.kernels.lanes_library import HYPERPARAMETERS
from treino.engine.population import Population
from treino.engine.shared_config import SharedConfig

CPU = torch.device("cpu")


def check_members(shared: SharedConfig, population: Population, rows: Tensor) -> None:
    """Raises:
    ValueError: an array of the population has another size or type than the library takes.
    IndexError: a member isn't there.
    """
    count, n = len(population.seed_P), shared.layout.n
    check_params(shared, population.params, rows)
    moments = 1 if shared.optimizer == "sgd" else 2
    if len(population.moments) != moments:
        raise ValueError(f"lanes: {moments} moments are needed, not {len(population.moments)}")
    _fits("params", population.params, torch.float32, count, n)
    _fits("grads", population.grads, torch.float32, count, n)
    for moment in population.moments:
        _fits("moments", moment, torch.float32, count, n)
    _fits("average", population.average, torch.float32, count if shared.averages else 0, n)
    for name in HYPERPARAMETERS:
        _fits(name, population.hp[name], torch.float64, count)
    _fits("seed_P", population.seed_P, torch.int64, count)
    _fits("schedule_P", population.schedule_P, torch.int64, count)


def check_params(shared: SharedConfig, params_Pn: Tensor, rows: Tensor) -> None:
    """Raises:
    ValueError: they have another size or type than the library takes.
    IndexError: a member isn't there.
    """
    _fits("params", params_Pn, torch.float32, len(params_Pn), shared.layout.n)
    _fits("rows", rows, torch.int64, len(rows), dense=False)
    _within("members", rows, len(params_Pn))


def check_chunk(shared: SharedConfig, population: Population, rows: Tensor, chunk: Chunk) -> None:
    """Check a chunk's arrays, except row numbers and classes in batches, which the library checks itself.

    Raises:
        ValueError: an array of the chunk has another size or type than the library takes.
        IndexError: a member names a schedule or an order that isn't there.
    """
    sizes, count = shared.shape.sizes, len(chunk.x)
    check_inputs(shared, chunk.x)
    if shared.loss.name == "cross_entropy":
        _fits("y", chunk.y, torch.int64, count, dense=False)
    else:
        _fits("y", chunk.y, torch.float32, count, sizes[-1], dense=False)
    _within("schedules", population.schedule_P[rows], len(chunk.factors))
    if any(len(factor_S) != chunk.steps for factor_S in chunk.factors):
        raise ValueError(f"lanes: factors are not of {chunk.steps} steps")
    if chunk.orders:
        _within("orders", population.order_P[rows], len(chunk.orders))
    for batches in (chunk.batches, *chunk.orders):
        _check_batches(batches, chunk.steps)
    if any(not 0 < step <= chunk.steps for step in chunk.keyframe_steps):
        raise ValueError(f"lanes: keyframe_steps {sorted(chunk.keyframe_steps)} of {chunk.steps} steps")


def check_inputs(shared: SharedConfig, x: Tensor) -> None:
    """Raises:
    ValueError: they have another size or type than the library takes.
    """
    _fits("x", x, torch.float32, len(x), shared.shape.sizes[0], dense=False)


def _check_batches(batches: Batches, steps: int) -> None:
    indices = [batch for batch in batches if batch is not None]
    if len(batches) != steps or len(indices) not in (0, steps):
        raise ValueError(f"lanes: {len(indices)} batches of {steps} steps")
    for batch in indices:
        if batch.dtype != torch.int64 or batch.ndim != 1 or batch.device != CPU:
            _fits("batches", batch, torch.int64, len(batch), dense=False)


def _fits(name: str, tensor: Tensor, dtype: torch.dtype, *shape: int, dense: bool = True) -> None:
    right = tensor.dtype == dtype and tensor.shape == shape and tensor.device == CPU
    if not right or (dense and not tensor.is_contiguous()):
        actual = f"{tensor.dtype} {list(tensor.shape)} on {tensor.device}"
        raise ValueError(f"lanes: {name} is {actual}, not {dtype} {list(shape)}, dense, on the CPU")


def _within(name: str, numbers: Tensor, count: int) -> None:
    if len(numbers):
        least, most = numbers.aminmax()
        if int(least) < 0 or int(most) >= count:
            raise IndexError(f"lanes: {name} {int(least)} to {int(most)} of {count}")
