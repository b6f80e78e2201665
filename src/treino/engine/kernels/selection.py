"""The choice of the kernel and its threads: by rule, so that the same training always has the same bits."""

from dataclasses import dataclass

from treino.base.errors import Refusal, TreinoError
from treino.base.machine import cpu_cores
from treino.base.words import N_, _
from treino.engine.kernels.lanes_library import why_missing

ENGINE_NET = Refusal(
    "The engine {name} trains MLPs without batch norm; this net is none.",
    "Use the engine module, or leave it open.",
)

LARGEST_TORCH_THREADS = 8  # more would wait for each other
LARGE_STEP = 40_000_000  # weights times rows; in smaller steps a second thread costs more than it saves

ENGINES = {
    "module": N_("any nn.Module, member by member: autograd and torch.optim"),
    "batched": N_("MLPs on any device, in any float type: hand-written backward, torch's batched products"),
    "lanes": N_("MLPs in float32: a compiled library, a member or a unit in each lane of a vector"),
}

WORKERS = ("batched", "lanes")  # kernels whose results don't depend on the number of threads, to the bit


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
    engine: str | None,
    threads: int | None,
    *,
    obstacle: str | None,
    batched: bool,
    parameters: int,
    batch: int,
    convolves: bool = False,
) -> KernelChoice:
    """The requested kernel and threads; default: ``lanes`` if it can train this network, else ``batched`` if
    it can, else ``module``.

    obstacle: a sentence on why ``lanes`` can't train the network; None if it can. batched: whether
    ``batched`` can. parameters: number per member. batch: rows per step. convolves: whether each weight is
    used many times per row.

    Raises:
        TreinoError: the requested kernel can't train this network.
    """
    if engine == "batched" and not batched:
        raise ENGINE_NET(name=engine)
    if engine == "lanes" and obstacle is not None:
        raise TreinoError("engine_lanes", obstacle, _("Use another engine, or leave it open."))
    if engine is None:
        engine = "lanes" if obstacle is None else "batched" if batched else "module"
    if threads is None and engine in WORKERS:
        threads = cpu_cores()
    elif threads is None:
        large = convolves or parameters * batch > LARGE_STEP
        threads = min(cpu_cores(), LARGEST_TORCH_THREADS) if large else 1
    return KernelChoice(engine, threads)
