"""The kernel ``lanes``: a compiled library whose vector lanes hold members, or the units of one member."""

import ctypes
import itertools
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, partial

import torch
from torch import Tensor, nn

from treino.base.machine import cpu_cores
from treino.base.words import _
from treino.engine.kernels.lanes_library import (
    ACTIVATIONS,
    HYPERPARAMETERS,
    LOSSES,
    OPTIMIZERS,
    OUT_OF_RANGE,
    LanesSteps,
    Library,
    Members,
    Network,
    check_chunk,
    check_inputs,
    check_members,
    check_params,
    libraries,
    why_missing,
)
from treino.engine.kernels.workers import WorkerCount, Workers
from treino.engine.loss_kernels import soft_targets
from treino.engine.model import Model
from treino.engine.nets import CNN, multiplications
from treino.engine.population import Population
from treino.engine.rng import element_hash
from treino.engine.step_plan import Chunk, MemberGroup

TEAM_STEP = 2_000_000  # multiplications of a step at which several workers divide it
TEAM_CALL = 20_000_000  # multiplications of a call, half a millisecond, at which they do
LONG = 500_000_000  # multiplications, 10 ms or more, at which the caller waits for Ctrl-C and doesn't work
CACHE_BYTES = 2 << 20  # blocks of members above this size are memory-bound
SINGLE_STEP = 2500  # the fixed cost of a member's step, in vector products
FEWEST_ROWS = 256  # minimum number of rows of a block's buffers
KEPT_CALLS = 8  # calls after which a block that was not used is given back
PADDING = 16  # elements that the library may read beyond the last one


@dataclass(frozen=True, eq=False)
class LanesPart:
    """Members that teams of workers train in blocks. units: whether lanes hold units. rows: the rows in the
    population. places: their indices among the members in training. blocks: how many blocks."""

    units: bool
    rows: Tensor
    places: Tensor
    blocks: int


class LanesKernel:
    """The kernel for MLPs and CNNs in float32 on the CPU.

    threads: the largest number of workers. layout: what lanes hold: ``members`` or ``units``; None:
    the faster. For convolutions, they hold channels if these fill them, else examples; with ``examples``
    always examples. ranks: how many workers divide a step; None: by size. Neither these nor the instruction
    set change a bit of the result.
    """

    def __init__(
        self,
        model: Model,
        threads: int | None = None,
        layout: str | None = None,
        library: Library | None = None,
        ranks: int | None = None,
    ) -> None:
        self.model, self.threads, self.intra_op_threads = model, threads or cpu_cores(), 1
        self.layout, self.library, self.ranks = layout, library or libraries()[0], ranks
        self.network, self.products = _network(model), _products(model)
        self.workers, self.pace = Workers(self.threads), WorkerCount(self.threads)
        self.free: list[LanesBlock] = []
        self.calls, self.lock = 0, threading.Lock()
        self.hash = torch.empty(0, dtype=torch.int32)

    def run(self, population: Population, rows: Tensor, chunk: Chunk) -> Tensor:
        check_members(self.model, population, rows)
        check_chunk(self.model, population, rows, chunk)
        parts, arrays = [], dict[int, _ChunkArrays]()
        for group in chunk.groups(population, rows):
            places, order = group.places, id(group.batches)
            steps = arrays[order] = _ChunkArrays(chunk, group, arrays.get(order))
            parts += [
                (part, steps, torch.empty(chunk.steps, len(part.rows)))
                for part in self._parts(rows[places], places, steps.largest)
            ]
        begin = 0
        for stop in sorted({*chunk.keyframe_steps, chunk.steps}):
            self._run(
                [
                    (
                        part,
                        steps.largest,
                        self._training(population, part, steps.in_memory(loss, begin, stop)),
                    )
                    for part, steps, loss in parts
                ],
                (stop - begin) * sum(len(part.rows) * steps.largest for part, steps, _loss in parts),
                trains=True,
            )
            if stop in chunk.keyframe_steps:
                chunk.copy_member(population)
            begin = stop
        if len(parts) == 1:  # all members, in their order
            return parts[0][2]
        loss_SR = torch.empty(chunk.steps, len(rows))
        for part, _steps, loss in parts:
            loss_SR[:, part.places] = loss
        return loss_SR

    def outputs(self, population: Population, rows: Tensor, x: Tensor) -> Tensor:
        return self.outputs_of(population.answering, rows, x)

    def outputs_of(self, params_Pn: Tensor, rows: Tensor, x: Tensor) -> Tensor:
        """Outputs ``[R, N, C]`` of the networks in these rows of ``params_Pn``."""
        classes = self.model.shape.sizes[-1]
        x = x.to(torch.float32).contiguous()
        check_params(self.model, params_Pn, rows)
        check_inputs(self.model, x)
        parts = self._parts(rows, torch.arange(len(rows)), FEWEST_ROWS)
        outputs = [torch.empty(len(part.rows), len(x), classes) for part in parts]
        self._run(
            [
                (part, min(len(x), FEWEST_ROWS), self._evaluation(params_Pn, part, x, out_RNC))
                for part, out_RNC in zip(parts, outputs, strict=True)
            ],
            len(rows) * len(x),
            trains=False,
        )
        return outputs[0] if len(outputs) == 1 else torch.cat([torch.empty(0, len(x), classes), *outputs])

    def _training(self, population: Population, part: LanesPart, steps: LanesSteps) -> "LanesJob":
        members = _members(population, part.rows)

        def job(block: LanesBlock, rank: int, stop: ctypes.c_int32) -> None:
            if self.library.functions.train(block.handle, rank, members, steps, stop) == OUT_OF_RANGE:
                raise IndexError("a batch names a row or a class that isn't there")

        return job

    def _evaluation(self, params_Pn: Tensor, part: LanesPart, x: Tensor, out_RNC: Tensor) -> "LanesJob":
        count = len(part.rows)
        members = Members(part.rows.data_ptr(), params_Pn.data_ptr(), count=count)
        members.next = ctypes.pointer(ctypes.c_int64())

        def job(block: LanesBlock, rank: int, stop: ctypes.c_int32) -> None:
            self.library.functions.outputs(
                block.handle, rank, members, x.data_ptr(), len(x), out_RNC.data_ptr(), stop
            )

        return job

    def _parts(self, rows: Tensor, places: Tensor, batch: int) -> list[LanesPart]:
        """Divide members by the faster layout."""
        lanes, count = self.library.lanes, len(rows)
        layout = "units" if isinstance(self.model.net, CNN) else self.layout
        alone = {None: (count - count % lanes, 0, count), "members": (count,), "units": (0,)}
        crowd = min(alone[layout], key=lambda crowd: self._time(crowd, count - crowd, batch))
        parts = []
        for units, first, stop, least in ((False, 0, crowd, lanes), (True, crowd, count, 1)):
            blocks = -(-(stop - first) // least)
            if blocks:
                parts.append(LanesPart(units, rows[first:stop].contiguous(), places[first:stop], blocks))
        return parts

    def _time(self, side_by_side: int, one_by_one: int, batch: int) -> float:
        """Estimated time of a step, in vector products, with this many members in lanes side by side, and
        this many one by one."""
        lanes, (block, one) = self.library.lanes, self._vector_products
        turns = -(-side_by_side // lanes // self.threads), -(-one_by_one // self.threads)
        return turns[0] * block * batch + turns[1] * (one * batch + SINGLE_STEP)

    @cached_property
    def _vector_products(self) -> tuple[int, int]:
        """The vector products of a row for a full block of members side by side, and for one member."""
        lanes, sizes = self.library.lanes, self.model.shape.sizes
        block = one = 0
        for layer, (inputs, units) in enumerate(itertools.pairwise(sizes)):
            wide, wide_inputs = -(-units // lanes), -(-inputs // lanes)
            block += (3 if layer else 2) * inputs * units
            one += 2 * inputs * wide + (units * wide_inputs if layer else 0)
        if 16 * lanes * self.model.layout.count > CACHE_BYTES:  # weights, gradient and moments of all lanes
            block *= 4
        return block, one

    def _run(self, work: "list[tuple[LanesPart, int, LanesJob]]", rows: int, *, trains: bool) -> None:
        """Run each part's job on its teams of workers, with a block for batches of this many rows.

        rows: the sum over all steps and members, to estimate the time. trains: whether workers that divide a
        step wait for each other in it, which is slow where other programs use their cores.
        """
        stop = ctypes.c_int32()
        products = rows * self.products
        ranks = self._ranks([(part, batch) for part, batch, _job in work], products)
        pace = self.pace if ranks > 1 and trains and self.ranks is None else None
        workers = pace.workers() if pace else ranks
        ranks = ranks if workers > 1 else 1
        self.calls += 1

        def alone(part: LanesPart, batch: int, job: LanesJob) -> None:
            block = self._take(part.units, batch, 1)
            job(block, 0, stop)
            self._give(block)

        jobs, blocks = list[Callable[[], None]](), list[LanesBlock]()
        for part, batch, job in work:
            for _team in range(min(part.blocks, self.threads // ranks)):
                if ranks == 1:
                    jobs.append(partial(alone, part, batch, job))
                else:
                    blocks.append(self._take(part.units, batch, ranks))
                    jobs += [partial(job, blocks[-1], rank, stop) for rank in range(ranks)]
        with pace.timed(workers, rows) if pace else nullcontext():
            self.workers.run(jobs, lambda: setattr(stop, "value", 1), caller=products < LONG)
        for block in blocks:
            self._give(block)
        self.free = [block for block in self.free if block.call > self.calls - KEPT_CALLS]

    def _ranks(self, parts: list[tuple[LanesPart, int]], products: int) -> int:
        """Return how many workers divide a member's steps: more than one only if there are fewer members than
        workers, and the step and the call are long enough to make up for their waits."""
        if self.ranks is not None:
            return self.ranks
        blocks = sum(part.blocks for part, _batch in parts)
        largest = max((batch for _part, batch in parts), default=0) * self.products
        if not blocks or largest < TEAM_STEP or products < TEAM_CALL:
            return 1
        return max(1, self.threads // blocks)

    def _take(self, units: bool, rows: int, ranks: int) -> "LanesBlock":
        """A block for batches of ``rows`` rows that nobody else uses. After an error it isn't given back."""
        rows = max(FEWEST_ROWS, 1 << (rows - 1).bit_length())
        with self.lock:
            for block in self.free:
                if (block.units, block.rows, block.ranks) == (units, rows, ranks):
                    self.free.remove(block)
                    return block
            hash_of_element = self._hash(rows)
        layout = units + (self.layout == "examples")
        return LanesBlock(self.library, self.network, hash_of_element, rows, layout, ranks)

    def _give(self, block: "LanesBlock") -> None:
        block.call = self.calls
        with self.lock:
            self.free.append(block)

    def _hash(self, rows: int) -> Tensor:
        """Return dropout's hash of each element, for batches of this many rows; all blocks read it."""
        shape = self.model.shape
        sizes = shape.sizes[:-1] if isinstance(self.model.net, CNN) else shape.sizes[1:-1]
        count = rows * max(sizes, default=0) + PADDING if shape.dropout else 0
        if len(self.hash) < count:
            self.hash = element_hash(1, count).flatten()
        return self.hash


class LanesBlock:
    """A block of memory that the library allocates to train some members. call: its latest call."""

    def __init__(
        self,
        library: Library,
        network: Network,
        hash_of_element: Tensor,
        rows: int,
        layout: int,
        ranks: int,
    ) -> None:
        self.library, self.units, self.rows, self.ranks, self.call = library, layout > 0, rows, ranks, 0
        self.held = network, hash_of_element  # what the library goes on reading
        self.handle = library.functions.open(network, hash_of_element.data_ptr(), rows, layout, ranks)
        if not self.handle:
            raise MemoryError("no memory for a block of the kernel lanes")

    def __del__(self) -> None:
        if self.__dict__.get("handle"):
            self.library.functions.close(self.handle)


LanesJob = Callable[[LanesBlock, int, ctypes.c_int32], None]


class _ChunkArrays:
    """A chunk's steps for the library: makes the struct, and keeps the arrays that it points to."""

    def __init__(self, chunk: Chunk, group: MemberGroup, same: "_ChunkArrays | None" = None) -> None:
        """same: the arrays of a group with the same batches."""
        if same is not None:
            vars(self).update(vars(same))
        self.x = group.x.contiguous()
        self.y = group.y.contiguous()
        if same is not None:
            return
        self.count, self.weight_GN, changes = chunk.steps, chunk.weight_GN, group.changes
        self.factor_KS = torch.tensor(chunk.factors, dtype=torch.float64)
        indices = [batch for batch in group.batches if batch is not None]
        self.index = torch.cat(indices) if indices else None
        counts = [len(batch) for batch in indices]
        self.largest = max(counts, default=len(self.x))
        self.end_S = torch.tensor(counts).cumsum(0) if indices else None
        self.change = torch.cat([c.number_BK for c in changes]) if changes else None
        self.partner = torch.cat([c.partner_B for c in changes]) if changes else torch.empty(0)
        self.first, self.optimizer_first = chunk.first, chunk.optimizer_first

    def in_memory(self, loss: Tensor, begin: int, stop: int) -> LanesSteps:
        of_classes = self.y.dtype == torch.int64
        return LanesSteps(
            self.x.data_ptr(),
            self.y.data_ptr() if of_classes else None,
            None if of_classes else self.y.data_ptr(),
            None if self.index is None else self.index.data_ptr(),
            None if self.end_S is None else self.end_S.data_ptr(),
            None if self.change is None else self.change.data_ptr(),
            self.partner.data_ptr() if len(self.partner) else None,
            self.factor_KS.data_ptr(),
            loss.data_ptr(),
            None if self.weight_GN is None else self.weight_GN.data_ptr(),
            len(self.x),
            self.first,
            self.optimizer_first,
            self.count,
            begin,
            stop,
        )


def lanes_obstacle(model: Model) -> str | None:
    """A sentence on why the kernel can't train this population; None if it can."""
    missing = why_missing()
    if missing is not None:
        return _("The engine lanes is not there: {reason}.").format(reason=_(missing))
    if model.dtype != torch.float32 or model.device.type != "cpu":
        return _("The engine lanes trains in float32 on the CPU.")
    if model.net is None:
        return _("The engine lanes trains networks that treino describes, mlp and cnn; this one is your own.")
    for name, layer in model.template.named_modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            return _(
                "The engine lanes has no batch norm, the layer {name}: with it a row's outputs depend on the"
                " other rows of its batch, and lanes sends rows through in blocks."
            ).format(name=name)
    if model.loss.classes:
        return _("The engine lanes trains classes of one target, and there are {n} targets.").format(
            n=len(model.loss.classes)
        )
    names = model.shape.activation, model.loss.name, model.optimizer
    for name, known in zip(names, (ACTIVATIONS, LOSSES, OPTIMIZERS), strict=True):
        if name not in known:
            return _("The engine lanes has no {name} compiled in.").format(name=name)
    return None


def _products(model: Model) -> int:
    """The number of multiplications in the forward pass of one row."""
    if not isinstance(model.net, CNN):
        return model.layout.count
    assert model.item_shape is not None
    return multiplications(model.net, model.item_shape, model.shape.sizes[-1])


POOL_NUMBERS = {"none": 0, "max": 1, "average": 2}


def _convolutions(model: Model) -> Tensor | None:
    """A row of ``ConvolutionShape`` for each convolution of a CNN; None for an MLP."""
    net = model.net
    if not isinstance(net, CNN):
        return None
    assert model.item_shape is not None
    starts, each = iter(model.layout.starts), 4 if net.group_norm else 2
    rows = [
        [*c[:9], c.skip, POOL_NUMBERS[c.pool], *([next(starts) for _tensor in range(each)] + [0, 0])[:4]]
        for c in net.convolutions(model.item_shape)
    ]
    return torch.tensor(rows, dtype=torch.int64)


def _network(model: Model) -> Network:
    shape, loss, starts = model.shape, model.loss, model.layout.starts
    convolutions = _convolutions(model)
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
    net = model.net
    network = Network(
        *(None if t is None else t.data_ptr() for t in held),
        model.layout.n,
        *((0, 0, 0.0) if gates is None else (gates.count, starts[0], gates.rate)),
        None if convolutions is None else convolutions.data_ptr(),
        0 if convolutions is None else len(convolutions),
        net.group_norm if isinstance(net, CNN) else 0,
        isinstance(net, CNN) and net.head == "average",
        layers,
        ACTIVATIONS.index(shape.activation),
        LOSSES.index(loss.name),
        OPTIMIZERS.index(model.optimizer),
        model.nesterov,
        shape.dropout,
        model.summed,
        loss.softmax_first,
        model.averages,
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
        population.bag_P.data_ptr(),
        len(rows),
        ctypes.pointer(ctypes.c_int64()),
    )
    members.held = rows
    return members
