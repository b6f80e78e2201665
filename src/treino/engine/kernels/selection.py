"""The choice of the kernel and its threads, by number of members, layer sizes and batch size."""

from collections.abc import Sequence
from dataclasses import dataclass

from treino.engine.devices import cpu_cores
from treino.engine.kernels.lanes_library import why_missing
from treino.engine.kernels.step_times import step_seconds, torch_threads_at_most
from treino.errors import TreinoError
from treino.words import N_, _

LARGEST_THREADS = 1024
SMALL_STEP = 4_000_000  # weights times rows; below, lanes is the fastest on all measured machines
SURELY = 0.85  # flat-loop must beat this share of lanes' time: its model errs by up to a fifth on all cores

ENGINES = {
    "module": N_("any nn.Module, member by member: autograd and torch.optim"),
    "flat-loop": N_("MLPs, one or two of some size: hand-written backward, one flat row each"),
    "batched": N_("MLPs, many side by side: the same backward for blocks of them, on all cores"),
    "lanes": N_("MLPs in float32: a compiled library, a member or a unit in each lane of a vector"),
}

WORKERS = ("batched", "lanes")  # kernels whose number of threads changes no bit


@dataclass(frozen=True)
class KernelChoice:
    engine: str
    threads: int


def torch_threads_of(engine: str, threads: int) -> int:
    """Torch's intra-op threads for a training with this kernel."""
    return 1 if engine in WORKERS else threads


def engines() -> list[tuple[str, str]]:
    """(name, purpose) of every kernel; with the reason if ``lanes`` is missing."""
    missing = why_missing()
    listing = [(name, _(about)) for name, about in ENGINES.items()]
    if missing is None:
        return listing
    name, about = listing.pop()
    return [*listing, (name, _("{about}; not there: {reason}").format(about=about, reason=_(missing)))]


def select_kernel(
    members: int,
    parameters: int,
    batch: int,
    sizes: Sequence[int] | None,
    engine: str | None = None,
    threads: int | None = None,
    *,
    convolves: bool = False,
    obstacle: str | None = None,
) -> KernelChoice:
    """The requested kernel and threads, or the fastest ones.

    sizes: layer sizes of an MLP without batch norm; None: another network. convolves: whether each weight is
    used many times per row. obstacle: a sentence on why ``lanes`` can't train this MLP; None if it can.

    Raises:
        TreinoError: the requested kernel can't train this network.
    """
    if engine not in (None, "module") and sizes is None:
        raise TreinoError(
            "engine_net",
            _("The engine {name} trains MLPs without batch norm; this net is none.").format(name=engine),
            _("Use the engine module, or leave it open."),
        )
    if engine == "lanes" and obstacle is not None:
        raise TreinoError("engine_lanes", obstacle, _("Use another engine, or leave it open."))
    if engine is None and sizes is None:
        engine = "module"
    elif engine is None and obstacle is None:
        return _fastest(members, parameters, batch, sizes or (), threads)
    elif engine is None:
        engine = "batched" if members >= (3 if parameters > 10_000 else 2) else "flat-loop"
    if threads is None:
        # in smaller steps a second thread costs more than it saves
        big = convolves or parameters * batch > 40_000_000
        threads = cpu_cores() if engine in WORKERS else torch_threads_at_most() if big else 1
    return KernelChoice(engine, threads)


def _fastest(
    members: int, parameters: int, batch: int, sizes: Sequence[int], threads: int | None
) -> KernelChoice:
    """Choose ``lanes``, which divides members among threads, or ``flat-loop``, which divides operations."""
    lanes = KernelChoice("lanes", threads or cpu_cores())
    if parameters * batch < SMALL_STEP:
        return lanes
    turns = -(-members // lanes.threads)
    best, least = lanes, SURELY * turns * step_seconds("lanes", 1, sizes, batch)
    for count in sorted({1, torch_threads_at_most()}) if threads is None else [threads]:
        seconds = members * step_seconds("flat-loop", count, sizes, batch)
        if seconds < least:
            best, least = KernelChoice("flat-loop", count), seconds
    return best
