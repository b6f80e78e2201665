"""The kernel ``lanes``: a compiled library whose vector lanes hold members, or the units of one member."""

import ctypes
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from treino.engine.devices import cpu_cores
from treino.engine.kernels.lanes_library import (
    ACTIVATIONS,
    DONE,
    HYPERPARAMETERS,
    LOSSES,
    OPTIMIZERS,
    OUT_OF_RANGE,
    LanesSteps,
    Library,
    Members,
    Network,
    Progress,
    check_chunk,
    check_inputs,
    check_members,
    check_params,
    libraries,
    why_missing,
)
from treino.engine.kernels.workers import Workers
from treino.engine.losses import soft_targets
from treino.engine.nets import CNN
from treino.engine.population import Population
from treino.engine.shared_config import SharedConfig
from treino.engine.step_plan import Batches, Chunk, Shifts
from treino.words import _

SLICE_SECONDS = 0.05  # longest call of the library between checks for Ctrl-C
CACHE_BYTES = 2 << 20  # blocks of members above this size are memory-bound
SINGLE_STEP = 2500  # the fixed cost of a member's step, in vector products
FEWEST_ROWS = 256  # minimum number of rows of a block's buffers


@dataclass(frozen=True, eq=False)
class LanesPart:
    """Members that one worker trains. units: lanes hold units. rows: their rows in the population. places:
    their indices among the members in training."""

    units: bool
    rows: Tensor
    places: Tensor


class LanesKernel:
    """The kernel for MLPs in float32 on the CPU.

    threads: the largest number of workers. layout: what lanes hold: ``members`` or ``units``; None: the
    faster; of convolutions channels where these fill them, else examples, with ``examples`` always these. Workers, layout and instruction set don't change a bit of the result.
    """

    def __init__(
        self,
        shared: SharedConfig,
        threads: int | None = None,
        layout: str | None = None,
        library: Library | None = None,
    ) -> None:
        self.shared, self.threads, self.intra_op_threads = shared, threads or cpu_cores(), 1
        self.layout, self.library = layout, library or libraries()[0]
        self.network = _network(shared)
        self.free: dict[tuple[bool, int], list[LanesBlock]] = {}
        self.workers = Workers(self.threads)
        self.stopping = False

    def run(self, population: Population, rows: Tensor, chunk: Chunk) -> Tensor:
        check_members(self.shared, population, rows)
        check_chunk(self.shared, population, rows, chunk)
        loss = torch.empty(chunk.steps, len(rows))
        jobs = []
        for places, batches, shifts in chunk.groups(population, rows):
            steps = _ChunkArrays(chunk, batches, shifts)
            jobs += [(part, steps) for part in self._parts(rows[places], places, steps.largest)]
        keyframes = sorted(chunk.keyframe_steps)
        begin = 0
        for stop in [*keyframes, *([] if chunk.steps in keyframes else [chunk.steps])]:
            self._all(
                [
                    lambda part=part, steps=steps, begin=begin, stop=stop: self._train(
                        population, part, steps, begin, stop, loss
                    )
                    for part, steps in jobs
                ]
            )
            if stop in chunk.keyframe_steps:
                chunk.copy_member(population)
            begin = stop
        return loss

    def outputs(self, population: Population, rows: Tensor, x: Tensor) -> Tensor:
        return self.outputs_of(population.answering, rows, x)

    def outputs_of(self, params_Pn: Tensor, rows: Tensor, x: Tensor) -> Tensor:
        """Outputs ``[R, N, C]`` of the networks in these rows of ``params_Pn``."""
        classes = self.shared.shape.sizes[-1]
        output_RNC = torch.empty(len(rows), len(x), classes)
        x = x.to(torch.float32).contiguous()
        check_params(self.shared, params_Pn, rows)
        check_inputs(self.shared, x)

        def job(part: LanesPart) -> None:
            whole = torch.equal(part.places, torch.arange(len(rows)))
            out = output_RNC if whole else torch.empty(len(part.rows), len(x), classes)
            with self._trainer(part.units, 1) as trainer:
                members = Members(part.rows.data_ptr(), params_Pn.data_ptr(), count=len(part.rows))
                self.library.functions.outputs(trainer.handle, members, x.data_ptr(), len(x), out.data_ptr())
            if not whole:
                output_RNC[part.places] = out

        parts = self._parts(rows, torch.arange(len(rows)), FEWEST_ROWS)
        self._all([lambda part=part: job(part) for part in parts])
        return output_RNC

    def _train(
        self,
        population: Population,
        part: LanesPart,
        steps: "_ChunkArrays",
        begin: int,
        stop: int,
        loss_SR: Tensor,
    ) -> None:
        loss = torch.empty(steps.count, len(part.rows))
        members, now = _members(population, part.rows), Progress(0, begin)
        known = steps.known(loss, begin, stop)
        with self._trainer(part.units, steps.largest) as trainer:
            while not self.stopping:
                answer = self.library.functions.train(trainer.handle, members, known, now, SLICE_SECONDS)
                if answer == OUT_OF_RANGE:
                    raise IndexError("a batch names a row or a class that isn't there")
                if answer == DONE:
                    break
        loss_SR[begin:stop, part.places] = loss[begin:stop]

    def _parts(self, rows: Tensor, places: Tensor, batch: int) -> list[LanesPart]:
        """Divide members by the faster layout, and into a part for each worker."""
        lanes, count = self.library.lanes, len(rows)
        alone = {None: (count - count % lanes, 0, count), "members": (count,), "units": (0,), "examples": (0,)}
        layout = self.layout or ("units" if isinstance(self.shared.net, CNN) else None)
        crowd = min(alone[layout], key=lambda crowd: self._time(crowd, count - crowd, batch))
        parts = []
        for units, first, stop, least in ((False, 0, crowd, lanes), (True, crowd, count, 1)):
            blocks = -(-(stop - first) // least)
            workers = min(self.threads, blocks)
            for worker in range(workers):
                a = first + blocks * worker // workers * least
                b = min(stop, first + blocks * (worker + 1) // workers * least)
                parts.append(LanesPart(units, rows[a:b].contiguous(), places[a:b]))
        return parts

    def _time(self, side_by_side: int, one_by_one: int, batch: int) -> float:
        """Estimated time of a step, in vector products, with this many members in lanes side by side, and
        this many one by one."""
        lanes, sizes = self.library.lanes, self.shared.shape.sizes
        block = one = 0
        for layer, (inputs, units) in enumerate(itertools.pairwise(sizes)):
            wide, wide_inputs = -(-units // lanes), -(-inputs // lanes)
            block += (3 if layer else 2) * inputs * units
            one += 2 * inputs * wide + (units * wide_inputs if layer else 0)
        if 16 * lanes * self.shared.layout.count > CACHE_BYTES:  # weights, gradient and moments of all lanes
            block *= 4
        turns = -(-side_by_side // lanes // self.threads), -(-one_by_one // self.threads)
        return turns[0] * block * batch + turns[1] * (one * batch + SINGLE_STEP)

    def _all(self, jobs: list) -> None:
        """Run all jobs on the workers."""
        self.stopping = False
        self.workers.map(lambda job: job(), jobs, self._stop)

    def _stop(self) -> None:
        self.stopping = True

    @contextmanager
    def _trainer(self, units: bool, rows: int) -> "Iterator[LanesBlock]":
        """A block for batches of ``rows`` rows that no other thread uses."""
        rows = max(FEWEST_ROWS, 1 << (rows - 1).bit_length())
        spare = self.free.setdefault((units, rows), [])
        try:
            trainer = spare.pop()
        except IndexError:
            trainer = LanesBlock(self.library, self.network, rows, units + (self.layout == "examples"))
        yield trainer  # not used again after an interrupt
        spare.append(trainer)


class LanesBlock:
    """A block of memory that the library allocates to train some members."""

    def __init__(self, library: Library, network: Network, rows: int, units: bool) -> None:
        self.library = library
        self.handle = library.functions.open(network, rows, units)
        if not self.handle:
            raise MemoryError("no memory for a block of the kernel lanes")

    def __del__(self) -> None:
        if self.__dict__.get("handle"):
            self.library.functions.close(self.handle)


class _ChunkArrays:
    """A chunk's steps for the library: makes the struct, and keeps the arrays that it points to."""

    def __init__(self, chunk: Chunk, batches: Batches, shifts: Shifts) -> None:
        self.count = chunk.steps
        self.x = chunk.x.contiguous()
        self.y = chunk.y.contiguous()
        self.factor_KS = torch.tensor(chunk.factors, dtype=torch.float64)
        indices = [batch for batch in batches if batch is not None]
        self.index = torch.cat(indices) if indices else None
        counts = [len(batch) for batch in indices]
        self.largest = max(counts, default=len(chunk.x))
        self.end_S = torch.tensor(counts).cumsum(0) if indices else None
        self.shift = torch.cat(list(shifts)) if shifts else None
        self.first, self.optimizer_first = chunk.first, chunk.optimizer_first

    def known(self, loss: Tensor, begin: int, stop: int) -> LanesSteps:
        of_classes = self.y.dtype == torch.int64
        return LanesSteps(
            self.x.data_ptr(),
            self.y.data_ptr() if of_classes else None,
            None if of_classes else self.y.data_ptr(),
            None if self.index is None else self.index.data_ptr(),
            None if self.end_S is None else self.end_S.data_ptr(),
            None if self.shift is None else self.shift.data_ptr(),
            self.factor_KS.data_ptr(),
            loss.data_ptr(),
            len(self.x),
            self.first,
            self.optimizer_first,
            self.count,
            len(self.factor_KS),
            begin,
            stop,
        )


def lanes_obstacle(shared: SharedConfig) -> str | None:
    """A sentence on why the kernel can't train this population; None if it can."""
    missing = why_missing()
    if missing is not None:
        return _("The engine lanes is not there: {reason}.").format(reason=_(missing))
    if shared.dtype != torch.float32 or shared.device.type != "cpu":
        return _("The engine lanes trains in float32 on the CPU.")
    if shared.net is None:
        return _("The engine lanes trains networks that treino describes, mlp and cnn; this one is your own.")
    for name, layer in shared.template.named_modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            return _(
                "The engine lanes has no batch norm, the layer {name}: with it a row's outputs depend on the"
                " other rows of its batch, and lanes sends rows through in blocks."
            ).format(name=name)
    shape = shared.shape
    for name, known in (
        (shape.activation, ACTIVATIONS), (shared.loss.name, LOSSES), (shared.optimizer, OPTIMIZERS)
    ):  # fmt: skip
        if name not in known:
            return _("The engine lanes has no {name} compiled in.").format(name=name)
    return None


POOL_NUMBERS = {"none": 0, "max": 1, "average": 2}


def _convolutions(shared: SharedConfig) -> Tensor | None:
    """A row of ``ConvolutionShape`` for each convolution of a CNN; None for an MLP."""
    net = shared.net
    if not isinstance(net, CNN):
        return None
    assert shared.item_shape is not None
    starts, each = iter(shared.layout.starts), 4 if net.group_norm else 2
    rows = [
        [*c[:9], c.skip, POOL_NUMBERS[c.pool], *([next(starts) for _tensor in range(each)] + [0, 0])[:4]]
        for c in net.convolutions(shared.item_shape)
    ]
    return torch.tensor(rows, dtype=torch.int64)


def _network(shared: SharedConfig) -> Network:
    shape, loss, starts = shared.shape, shared.loss, shared.layout.starts
    convolutions = _convolutions(shared)
    if convolutions is not None:
        starts = starts[-2 * (len(shape.sizes) - 1) :]
    gates = shape.gates
    layers = len(shape.sizes) - 1
    classes = loss.name == "cross_entropy"
    held = (
        torch.tensor(shape.sizes),
        torch.tensor(starts if gates is None else starts[1:]),
        soft_targets(loss, shape.sizes[-1]) if classes else None,
        torch.tensor(loss.class_weights, dtype=torch.float64) if classes and loss.class_weights else None,
        None if gates is None else torch.tensor(gates.column_D),
    )
    net = shared.net
    network = Network(
        *(None if t is None else t.data_ptr() for t in held),
        shared.layout.n,
        *((0, 0, 0.0) if gates is None else (gates.count, starts[0], gates.rate)),
        None if convolutions is None else convolutions.data_ptr(),
        0 if convolutions is None else len(convolutions),
        net.group_norm if isinstance(net, CNN) else 0,
        isinstance(net, CNN) and net.head == "average",
        layers,
        ACTIVATIONS.index(shape.activation),
        LOSSES.index(loss.name),
        OPTIMIZERS.index(shared.optimizer),
        shared.nesterov,
        shape.dropout,
        shared.summed,
        loss.softmax_first,
        shared.averages,
    )
    network.held = (*held, convolutions)  # keeps alive the arrays behind the pointers
    return network


def _members(population: Population, rows: Tensor) -> Members:
    moments = [m.data_ptr() for m in population.moments]
    members = Members(
        rows.data_ptr(),
        population.params.data_ptr(),
        population.grads.data_ptr(),
        (ctypes.c_void_p * 2)(*moments),
        population.average.data_ptr() if len(population.average) else None,
        (ctypes.c_void_p * len(HYPERPARAMETERS))(*(population.hp[n].data_ptr() for n in HYPERPARAMETERS)),
        population.seed_P.data_ptr(),
        population.schedule_P.data_ptr(),
        len(rows),
    )
    members.held = rows
    return members
