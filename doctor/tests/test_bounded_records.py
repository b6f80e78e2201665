"""What the record keeps and how often the rules look at it, against the length of a program: no clock."""

import gc
import os
import weakref

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from treino_doctor.record import values, windows
from treino_doctor.record.gradients import LOGGED
from treino_doctor.record.log import (
    Backward,
    Event,
    Forward,
    Log,
    LossCall,
    OptimizerEnded,
    OptimizerMade,
    Reached,
    Read,
)
from treino_doctor.record.nets import PASSED
from treino_doctor.record.recorder import ALIKE, Recorder
from treino_doctor.rules import rules
from treino_doctor.rules.rule import PRELUDE

NEW_OPTIMIZERS = """
net = nn.Linear(8, 3)
for _ in range({n}):
    optimizer = torch.optim.Adam(net.parameters())
    optimizer.zero_grad()
    F.cross_entropy(net(x), y).backward()
    optimizer.step()
"""
NEW_NETS = """
import weakref
dead = []
for _ in range({n}):
    net = nn.Linear(8, 3)
    optimizer = torch.optim.Adam(net.parameters())
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    for _ in range(2):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
        scheduler.step()
    dead.append(weakref.ref(net))
"""
TRAINED = """
net = nn.Linear(8, 3)
optimizer = torch.optim.Adam(net.parameters())
for _ in range({turns}):
    optimizer.zero_grad()
    F.cross_entropy(net(x), y).backward()
    optimizer.step()
"""
EVALUATED = """
right = 0
with torch.no_grad():
    for i in range({n}):
        right += (net(x[i % 240:][:1]).argmax(1) == y[i % 240:][:1]).sum()
"""
ENTRY_BY_ENTRY = """
right, shown = 0, []
with torch.no_grad():
    for part in range(3):
        answers = net(x)
        for i in range(len(x)):
            if answers[i].argmax() == y[i]:
                right += 1
            shown.append(float(answers[i][0] - answers[i, 1]))
"""
LETTERS = """
net = nn.Linear(8, 3)
optimizer = torch.optim.Adam(net.parameters())
for step in range({turns}):
    optimizer.zero_grad()
    sum(F.cross_entropy(net(x[i : i + 1]), y[i : i + 1]) for i in range({letters})).backward()
    optimizer.step()
"""
ROLLOUT = """
state = x[:1]
for place in range(300):
    if place % 31 == 0:
        net(x[:1])
    state = state + net(state).detach().sum()
"""


BY_ITS_LAYERS = """
net = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Sequential(nn.Linear(6, 8), nn.Tanh()))
optimizer = torch.optim.Adam(net.parameters())
for step in range(120):
    optimizer.zero_grad()
    F.mse_loss(net(x), x).backward()
    optimizer.step()
    if step % 20 == 0:
        net[2](torch.randn(4, 6))
"""


class Visited(list[Event]):
    """Events that count how often they are looked at."""

    looks = 0

    def __iter__(self):
        for event in super().__iter__():
            self.looks += 1
            yield event


def watched(source: str, recorder: Recorder | None = None) -> tuple[Recorder, dict[str, object]]:
    """A record of lines that run here, and their names."""
    recorder, names = recorder or Recorder(), {}
    code = compile(PRELUDE + source, __file__, "exec", dont_inherit=True)
    recorder.install()
    try:
        exec(code, names)
    finally:
        recorder.stop()
    assert recorder.hooks.defect_sentences() == []
    return recorder, names


@pytest.mark.slow
@pytest.mark.parametrize("source", [NEW_OPTIMIZERS, NEW_NETS])
def test_the_log_of_many_optimizers_has_an_end(source):
    few, many = (watched(source.format(n=n))[0].log for n in (150, 500))
    assert len(many.of(OptimizerMade)) == len(many.of(OptimizerEnded))
    assert len(few.of(OptimizerMade)) >= LOGGED
    assert len(many.of(OptimizerMade)) < LOGGED + 40  # those of a few windows
    assert len(many.events) < 1.3 * len(few.events)


@pytest.mark.parametrize("rule", rules())
def test_a_rule_looks_at_an_event_as_often_in_a_long_log(rule, logs):
    short, long = (_looks(log, rule) / len(log.events) for log in logs)
    assert long <= 1.5 * short + 2


@pytest.fixture(scope="module")
def logs():
    return [watched(NEW_OPTIMIZERS.format(n=n))[0].log for n in (20, 100)]


def _looks(log: Log, rule: str) -> int:
    every = Visited(log.events)
    list(rules()[rule].decide(Log(every)))
    return every.looks


def test_letter_by_letter_three_steps_are_recorded_whole_and_later_ones_now_and_then():
    log = watched(LETTERS.format(turns=10, letters=50))[0].log
    counts = [sum(call.turn == turn for call in log.of(Forward)) for turn in range(10)]
    assert counts[:ALIKE] == [50] * ALIKE
    assert 1 <= sum(counts[ALIKE:]) < 50
    assert not any(o.name == PASSED for loss in log.of(LossCall) for o in loss.graph.operations)
    few = watched(LETTERS.format(turns=10, letters=7))[0].log
    assert len(few.of(Forward)) == 10 * 7


def test_layers_that_are_called_alone_are_parts_of_their_nets_calls_all_the_same():
    log = watched(BY_ITS_LAYERS)[0].log
    alone = [call for call in log.of(Forward) if call.net]
    assert 3 <= len(alone) <= 6
    assert {call.rows for call in alone} == {4}


def test_a_sum_over_a_long_evaluation_is_kept_as_a_range():
    recorder, names = watched(TRAINED.format(turns=50) + EVALUATED.format(n=300))
    calls = recorder.values.of(names["right"]).forwards
    assert isinstance(calls, range)
    assert len(calls) == 300


@given(
    st.lists(
        st.one_of(st.frozensets(st.integers(1, 2000)), st.builds(range, st.just(1), st.integers(1, 2000)))
    ),
    st.booleans(),
)
def test_calls_are_joined_as_sets_are_or_their_newest(several, grad):
    union, joined = set().union(*several), values.together(several, grad)
    assert set(joined) == union or not grad
    assert set(joined) == union or joined == {*sorted(union)[-values.NEWEST :]}


def test_a_rollout_without_gradients_remembers_its_newest_calls():
    recorder, names = watched(TRAINED.format(turns=50) + ROLLOUT)
    calls = recorder.values.of(names["state"]).forwards
    assert recorder.nets.forwards - 5 < max(calls) <= recorder.nets.forwards
    assert len(calls) < 2 * values.NEWEST


@pytest.mark.parametrize("turns", [0, 50])
@pytest.mark.parametrize("setting", ["LONGEST", "DENSE"])
def test_an_evaluation_without_end_is_recorded_up_to_a_length(setting, turns, monkeypatch):
    monkeypatch.setattr(windows, setting, 40)
    recorder, names = watched(TRAINED.format(turns=turns) + EVALUATED.format(n=1000))
    calls = [f for f in recorder.log.of(Forward) if not f.grad]
    assert 40 <= len(calls) <= 3 * 45
    assert int(names["right"]) >= 0
    assert not recorder.tape.on
    assert recorder.nets.forwards < 400


def test_of_what_every_turn_repeats_ever_less_is_recorded():
    source = TRAINED.format(turns=8).replace("    F.", "    [net(x[:1]) for _ in range(100)]\n    F.")
    recorder, _ = watched(source)
    assert 100 < len(recorder.log.of(Forward)) < 3 * 100


def test_of_entries_one_by_one_some_of_each_evaluation_are_recorded(monkeypatch):
    source = TRAINED.format(turns=50) + ENTRY_BY_ENTRY
    some, names = watched(source)
    monkeypatch.setattr(windows, "DENSE", 10**6)
    monkeypatch.setattr(windows.Windows.keeps, "__defaults__", None)
    monkeypatch.setattr(windows.Windows.keeps, "__kwdefaults__", {"most": 10**6})
    every, again = watched(source)
    assert names["right"] == again["right"]
    assert names["shown"] == again["shown"]
    for how in ("compared", "float"):
        few, all_of_them = (
            [r for r in of.log.of(Read) if r.how == how and r.turn == 50] for of in (some, every)
        )
        assert 100 < len(few) < len(all_of_them) / 2
        assert {r.forwards for r in few} == {r.forwards for r in all_of_them}


def test_a_long_step_forgets_its_first_values(monkeypatch):
    monkeypatch.setattr(values, "PRUNED", 50)
    known, total = values.Values(), torch.zeros(1)
    first = None
    for _ in range(1000):
        before = total
        total = before + 1
        node = known.made(total, "add", [before], None, {})
        first = first or node
    assert first.parents == ()
    assert sum(map(len, known._young)) <= 4 * 51


def test_an_observer_inside_another_leaves_the_outer_ones_calls_unobserved():
    hooks, seen = Recorder().hooks, []
    hooks.install()
    hooks.quietly("outer", lambda: (hooks.quietly("inner", lambda: None), seen.append(hooks.on)))
    assert (seen, hooks.on) == ([False], True)
    hooks.quietly("last", hooks.undo)
    assert not hooks.on


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_an_examination_that_has_ended_is_let_go_and_a_fork_is_observed_by_none():
    recorder = Recorder()
    recorder.install()
    child = os.fork()
    if child == 0:
        os._exit(int(recorder.hooks.on))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert recorder.hooks.on
    recorder.stop()
    ended = weakref.ref(recorder.hooks)
    del recorder
    gc.collect()
    assert ended() is None


LONG_LOSS = """
net = nn.Linear(8, 3)
optimizer = torch.optim.Adam(net.parameters())
for step in range(6):
    optimizer.zero_grad()
    losses = [F.cross_entropy(net(x[:2]), y[:2]) for _ in range({calls})]
    (torch.stack(losses).mean() if {listed} else sum(losses)).backward()
    optimizer.step()
"""


@pytest.mark.slow
@pytest.mark.parametrize("calls", [1, 70, 400])
@pytest.mark.parametrize("listed", [True, False])
def test_every_recorded_call_that_trains_is_known_to_train(calls, listed):
    """However many there are before one backward, and whether a window is open when it comes."""
    recorder, _ = watched(LONG_LOSS.format(calls=calls, listed=listed))
    reached = {f for b in recorder.log.of(Backward) for f in b.forwards}
    reached |= {f for e in recorder.log.of(Reached) for f in e.forwards}
    recorded = {f.forward for f in recorder.log.of(Forward)}
    assert recorded
    assert recorded <= reached
