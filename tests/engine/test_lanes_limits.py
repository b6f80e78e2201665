"""The kernel ``lanes`` at its limits: no memory, Ctrl-C, wrong arrays, NaN in a lane, errors of rounding."""

import os
import random
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace

import psutil
import pytest
import torch
from oracles import ENGINES, sample
from tests.waiting import HANG, until
from torch import Tensor

from treino.engine import mlp, train
from treino.engine.kernels.lanes_library import why_missing
from treino.engine.step_plan import Chunk

pytestmark = pytest.mark.skipif("lanes" not in ENGINES, reason=f"needs lanes: {why_missing()}")


def child(source: str, *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(source), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=os.path.dirname(__file__),
    )


def test_not_a_number_in_one_lane_leaves_the_others_as_they_are():
    x, y = sample()

    def bits(poison: bool) -> Tensor:
        training = train((x, y), mlp(9, dropout=0.1), steps=30, seeds=range(17), engine="lanes", clip=0.5)
        training.setup.kernel.layout = "members"
        population = training.state.population
        if poison:
            population.params[5, 3] = torch.nan
            population.moments[1][16, 0] = torch.inf
        chunk = Chunk(x, y, [None] * 30, 0, 0, [[1.0] * 30])
        training.setup.kernel.run(population, torch.arange(17), chunk)
        return population.params.view(torch.int32)

    clean, poisoned = bits(False), bits(True)
    others = [row for row in range(17) if row not in (5, 16)]
    assert torch.equal(poisoned[others], clean[others])
    assert poisoned[5].view(torch.float32).isnan().any()


FUZZ = """
    import random, sys
    import torch
    sys.path[:0] = [".", "../.."]
    from test_lanes_limits import fuzzed

    for seed in range(int(sys.argv[1]), int(sys.argv[2])):
        print(seed, fuzzed(seed), flush=True)
"""


def fuzzed(seed: int) -> str:
    """Call the kernel with some wrong arrays; -> what came of it."""
    draw = random.Random(seed)
    P, N, D, C, S = (draw.randint(1, most) for most in (20, 40, 20, 5, 4))
    x, y = torch.rand(N, D), torch.randint(max(C, 2), (N,), generator=torch.Generator().manual_seed(seed))
    net = mlp(*(draw.randint(1, 40) for _layer in range(draw.randint(0, 2))))
    y[0], classes = max(C, 2) - 1, max(C, 2)
    if len(y) < 2 or len(y.unique()) < classes:
        y = torch.arange(N) % classes
    if classes > N:
        x, y = torch.rand(classes, D), torch.arange(classes)
    training = train(
        (x, y), net, steps=S, seeds=range(P), engine="lanes", optimizer=draw.choice(["sgd", "adam"])
    )
    kernel, population = training.setup.kernel, training.state.population
    kernel.layout = draw.choice(["members", "units", None])
    batches = draw.choice([[None] * S, [torch.randint(len(x), (draw.randint(1, 9),)) for _step in range(S)]])
    chunk, rows = Chunk(x, y, batches, 0, 0, [[1.0] * S]), torch.arange(P)

    def spoilt(tensor: Tensor) -> Tensor:
        ways = (
            lambda: tensor[: len(tensor) // 2],
            lambda: tensor[:0],
            lambda: tensor.to(
                draw.choice([torch.float16, torch.float64, torch.int32, torch.int64, torch.bool])
            ),
            lambda: torch.cat([tensor, tensor]),
            lambda: tensor.unsqueeze(0),
            lambda: tensor.flatten()[:1],
            lambda: tensor.expand(3, *tensor.shape),
            lambda: torch.stack([tensor, tensor], -1)[..., 0],
            lambda: torch.full(tensor.shape, draw.choice([-1, 0, 1, 2**30, -(2**30)])).to(tensor.dtype),
            lambda: (
                torch.full_like(tensor, torch.nan) if tensor.is_floating_point() else tensor.long() - 2**62
            ),
        )
        return draw.choice(ways)()

    for _change in range(draw.randint(1, 3)):
        kind = draw.randrange(9)
        if kind == 0:
            chunk = replace(chunk, x=spoilt(chunk.x))
        elif kind == 1:
            chunk = replace(chunk, y=spoilt(chunk.y))
        elif kind == 2 and chunk.batches[0] is not None:
            chunk = replace(chunk, batches=[spoilt(batch) for batch in chunk.batches])
        elif kind == 3:
            rows = spoilt(rows)
        elif kind == 4:
            name = draw.choice(["params", "grads", "seed_P", "schedule_P"])
            setattr(population, name, spoilt(getattr(population, name)))
        elif kind == 5:
            name = draw.choice(list(population.hp))
            population.hp[name] = spoilt(population.hp[name])
        elif kind == 6:
            population.moments[0] = spoilt(population.moments[0])
        elif kind == 7:
            chunk = replace(chunk, factors=draw.choice([[], [[1.0]], [[1.0] * (S + 1)]]))
        else:
            chunk = replace(chunk, first=draw.choice([0, 10**9, 2**62]), optimizer_first=10**6)
    try:
        with torch.no_grad():
            kernel.run(population, rows, chunk)
            kernel.outputs(population, rows, chunk.x)
    except (ValueError, IndexError, RuntimeError, TypeError) as error:
        return type(error).__name__
    return "done"


@pytest.mark.slow
def test_wrong_arrays_are_errors_and_end_no_process():
    found = fuzz(0, 100)
    assert found["ValueError"] > 30
    assert found["done"] > 6


@pytest.mark.release
def test_wrong_arrays_are_errors_and_end_no_process_thousands_of_times():
    for first in range(1000, 21_000, 1000):
        fuzz(first, first + 1000)


def fuzz(first: int, stop: int) -> dict[str, int]:
    process = child(FUZZ, first, stop)
    out, error = process.communicate()
    lines = out.splitlines()
    assert process.returncode == 0, (lines[-1:], process.returncode, error[-2000:])
    assert len(lines) == stop - first
    kinds = [line.split()[1] for line in lines]
    return {kind: kinds.count(kind) for kind in set(kinds)}


INTERRUPTED = """
    import sys
    import torch
    from oracles import sample
    from treino.engine import mlp, train

    def made():
        many = {"steps": 200_000, "every": 200_000}
        return train(sample(), mlp(30), seeds=range(int(sys.argv[1])), engine="lanes", **many)

    def interrupted(work):
        print("ready", flush=True)
        try:
            while True:
                work()
        except KeyboardInterrupt:
            print("stopped", flush=True)

    training = made()
    training.advance(None, until=10)
    interrupted(lambda: training.advance(None))
    step, other = training.step, made()
    while other.step < step:
        other.advance(None, until=step)
    same = torch.equal(training.state.population.params, other.state.population.params)
    print(step >= 10, same, flush=True)

    x, y = torch.rand(4000, 64), torch.arange(4000) % 4
    large = train((x, y), mlp(1024, 1024), steps=1, engine="lanes", threads=int(sys.argv[2]))
    population, all_rows = large.state.population, x.repeat(100, 1)
    interrupted(lambda: large.setup.kernel.outputs(population, torch.arange(1), all_rows))
"""


@pytest.mark.parametrize(
    ("members", "threads"),
    [pytest.param(40, 2, marks=pytest.mark.slow), pytest.param(1, 1, marks=pytest.mark.release)],
)
def test_ctrl_c_ends_a_call_and_what_goes_on_has_the_same_bits(members, threads):
    """A call of millions of steps, and an evaluation; the training is then what it was before the call."""
    process = child(INTERRUPTED, members, threads)
    assert process.stdout is not None
    worked = psutil.Process(process.pid).cpu_times
    for told in (["stopped", "True True"], ["stopped"]):
        assert process.stdout.readline() == "ready\n"
        begin = worked().user
        until(lambda begin=begin: worked().user > begin + 0.2, process)  # in the middle of a call
        process.send_signal(signal.SIGINT)
        assert [process.stdout.readline().strip() for _line in told] == told
    assert process.communicate(timeout=HANG) == ("", "")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_kernel_goes_on_after_a_fork_and_where_a_block_had_no_memory():
    process = child("""
        import os, resource, torch
        from oracles import sample
        from treino.engine import mlp, train

        training = train(sample(), mlp(20), steps=20, every=10, seeds=range(40), engine="lanes", threads=2)
        training.advance(None)  # its threads have started
        pid = os.fork()
        training.advance(None)
        if pid:
            os.waitpid(pid, 0)
        print(pid == 0, float(training.state.population.params.double().sum()), flush=True)
        if not pid:
            os._exit(0)

        data = torch.rand(8, 4), torch.arange(8) % 2
        training = train(data, mlp(2048, 2048), steps=2, engine="lanes", threads=1)
        before = training.state.population.params.clone()
        training.setup.kernel.layout = "members"  # sixteen members' room, 1 GB, for one
        pages = int(open("/proc/self/statm").read().split()[0])
        most = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 28), most))
        try:
            training.advance(None)
        except MemoryError as error:
            print(error, training.step, torch.equal(training.state.population.params, before))
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        training.setup.kernel.layout = "units"
        training.advance(None)
        print(training.step)
    """)
    out, error = process.communicate(timeout=HANG)
    forked, parent, *memory = out.splitlines()
    assert (forked.split()[0], parent.split()[0]) == ("True", "False"), error
    assert forked.split()[1] == parent.split()[1]
    assert memory == ["no memory for a block of the kernel lanes 0 True", "2"], error
