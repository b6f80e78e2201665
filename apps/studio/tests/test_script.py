"""Scripts in the studio: the same numbers as under Python alone; steered, and steered once more."""

import json
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from tests.waiting import until

from apps.studio.tests.scripts import (
    ADAM,
    Message,
    Send,
    apart,
    at_first_step,
    here,
    script,
    sha256,
    weights,
)
from forked import plain

SLOWLY = """
import time
train(int(sys.argv[1]), lambda step: time.sleep(0.005))
print(digest())
"""

UNTIL_SET = """
def after(step):
    if optimizer.param_groups[0]["lr"] == 0.5: sys.exit()
train(10**9, after)
"""


@pytest.mark.slow
def test_unsteered_it_is_the_script_that_python_runs(tmp_path: Path) -> None:
    """Output, weights and status; what is shown are the script's own losses, rates and gradients."""
    text = """
    groups = [{"params": net[0].parameters(), "lr": 0.1}, {"params": net[3].parameters()}]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9, weight_decay=1e-3)
    other = torch.optim.AdamW([torch.nn.Parameter(torch.ones(3))], betas=(0.8, 0.99))
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    tr.button("print", lambda: print("pressed"))
    for step in range(6):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), 1e9)
        optimizer.step()
        other.param_groups[0]["params"][0].grad = torch.ones(3)
        other.step()
        scheduler.step()
        print(loss.item(), norm.item())
    print("to stderr", file=sys.stderr)
    print(sys.argv, __name__, __file__, "TREINO_STUDIO_SOCKET" in os.environ)
    print(digest())
    sys.exit(5)
    """
    path = script(tmp_path, text)
    alone, seen = plain(path, "--a", "--"), apart(path, "--a", "--")
    assert (seen.status, seen.out, seen.err) == (alone.status, alone.out, alone.err + "\n")
    assert (seen.status, seen.err) == (5, "to stderr\n")
    first = seen.steps[0]
    loss, norm = map(float, alone.out.split("\n")[0].split())
    assert first["loss"] == pytest.approx(loss, abs=0)
    assert first["optimizers"][0]["gradient_norm"] == pytest.approx(norm, rel=1e-6)
    assert first["optimizers"][0]["groups"] == [
        {"lr": 0.1, "weight_decay": 1e-3, "momentum": 0.9},
        {"lr": 0.01, "weight_decay": 1e-3, "momentum": 0.9},
    ]
    printed = [float(line.split()[0]) for line in alone.out.splitlines()[:6]]
    assert seen.losses == [loss for loss in printed for _twice in range(2)]
    last = seen.steps[-1]
    assert last["step"] == 12
    assert [each["groups"][0]["lr"] for each in last["optimizers"]] == [0.1 / 8, 1e-3]
    assert last["optimizers"][1]["groups"][0]["betas"] == [0.8, 0.99]
    assert seen.all("buttons") == [["print"]]
    assert seen.all("end") == [{"status": 5, "steps": 12, "error": None}]
    assert not list(tmp_path.glob("*.jsonl"))


@pytest.mark.release
def test_a_steered_training_is_what_its_file_says_and_is_repeated_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against the same script with the changes written into it by hand."""
    monkeypatch.chdir(tmp_path)
    path = script(tmp_path, 'tr.button("draw", lambda: torch.rand(3))\n' + ADAM + SLOWLY)
    changes = [
        {"do": "set", "name": "lr", "value": 0.05},
        {"do": "set", "name": "beta1", "value": 0.5},
        {"do": "press", "button": "draw"},
        {"do": "set", "name": "weight_decay", "value": 0.1},
    ]

    def answer(message: Message, send: Send) -> None:
        first = "step" in message and len(changes) == 4
        if changes and (first or "changed" in message):
            send(changes.pop(0))

    steered = apart(path, "200", answer=answer)
    file = tmp_path / "train.steering.jsonl"
    header, *lines = map(json.loads, file.read_text().splitlines())
    assert header == {
        "steering": 1,
        "script": str(path),
        "sha256": sha256(path),
        "args": ["200"],
        "torch": torch.__version__,
    }
    assert [each["step"] for each in lines] == [each["step"] for each in steered.all("changed")]
    assert [each.get("name") for each in lines] == ["lr", "beta1", None, "weight_decay"]

    steps = {each.get("name", "press"): each["step"] for each in lines}
    by_hand = f"""
    def between(step):
        group = optimizer.param_groups[0]
        if step + 1 == {steps["lr"]}: group["lr"] = 0.05
        if step + 1 == {steps["beta1"]}: group["betas"] = 0.5, 0.999
        if step + 1 == {steps["press"]}: drawn = True
        if step + 1 == {steps["weight_decay"]}: group["weight_decay"] = 0.1
    original = torch.optim.Adam.step
    count = 0
    def step(self):
        global count
        count += 1
        if count == {steps["press"]}: torch.rand(3)
        original(self)
    torch.optim.Adam.step = step
    train(200, between)
    print(digest())
    """
    oracle = plain(script(tmp_path, ADAM + textwrap.dedent(by_hand), name="by_hand.py"))
    assert weights(steered.out) == weights(oracle.out)
    assert weights(steered.out) != weights(plain(path, "200").out)

    command = [
        sys.executable,
        "-m",
        "treino_studio.script.runner",
        f"--replay={file}",
        "--",
        str(path),
        "200",
    ]
    repeated = subprocess.run(command, capture_output=True, text=True)
    assert (weights(repeated.stdout), repeated.stderr) == (weights(steered.out), "")
    assert weights(apart(path, "200", replay=file).out) == weights(steered.out)
    assert [each.name for each in tmp_path.glob("*.jsonl")] == [file.name]


@pytest.mark.slow
@pytest.mark.parametrize("paused", [False, True])
def test_the_script_outlives_a_server_that_is_killed(tmp_path: Path, paused: bool) -> None:
    kept = "import signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"  # as many a tool does
    path = script(tmp_path, kept + ADAM + SLOWLY.replace("print(", "open('done', 'w').write("))
    server = f"""
    from treino_studio.script.process import ScriptProcess
    process = ScriptProcess.start({str(path)!r}, ["150"])
    if {paused}: process.send({{"do": "pause"}})
    for message in process.messages():
        print(message, flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(server)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "'paused'" in line or (not paused and "'loss'" in line):
                break
        process.kill()
    done = tmp_path / "done"
    until(lambda: done.exists() and done.read_text())
    assert done.read_text() == weights(plain(script(tmp_path, ADAM + SLOWLY), "150").out)


@pytest.mark.slow
def test_a_stop_is_a_keyboard_interrupt_and_a_second_one_needs_no_step(tmp_path: Path) -> None:
    text = """
    import threading
    print("without", flush=True)
    try:
        train(10**9)
    except KeyboardInterrupt:
        pass
    try:
        print("saved", flush=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        print("saved twice")
    sys.exit(7)
    """
    stops = [{"do": "stop"}, {"do": "stop"}]

    def answer(message: Message, send: Send) -> None:
        if "step" in message and len(stops) == 2:
            send(stops.pop())
            until(lambda: "saved" in (tmp_path / "out").read_text())
            send(stops.pop())

    seen = apart(script(tmp_path, ADAM + textwrap.dedent(text)), answer=answer)
    assert (seen.status, seen.out, seen.err) == (7, "without\nsaved\nsaved twice\n", "")
    assert not list(tmp_path.glob("*.jsonl"))


@pytest.mark.parametrize(
    ("last", "status"),
    [
        pytest.param("os._exit(3)", 3, marks=pytest.mark.release),
        pytest.param("os.kill(os.getpid(), 9)", 137, marks=pytest.mark.slow),
        pytest.param("import ctypes; ctypes.string_at(0)", 139, marks=pytest.mark.release),
    ],
)
def test_an_end_that_nobody_could_tell_is_told(tmp_path: Path, last: str, status: int) -> None:
    seen = apart(script(tmp_path, ADAM + "train(3)\n" + last))
    assert seen.all("end") == [{"status": status, "steps": seen.steps[-1]["step"], "error": None}]
    assert seen.status == status


@pytest.mark.slow
def test_a_script_that_is_closed_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that ignores Ctrl-C, and however little time it is left."""
    from treino_studio.script import process

    monkeypatch.setattr(process, "GRACE", 0.0)
    text = "import signal; signal.signal(2, signal.SIG_IGN); signal.signal(15, signal.SIG_IGN)\n"
    run = process.ScriptProcess.start(script(tmp_path, text + ADAM + "train(10**9)"))
    assert next(m for m in run.messages() if "step" in m)
    with pytest.raises(process.TreinoError) as refused:
        run.send({"do": "set", "name": "momentum", "value": 1.0})
    assert refused.value.rule == "studio_command"
    assert run.close() == 128 + signal.SIGKILL
    with pytest.raises(process.TreinoError, match="takes no command") as refused:
        run.send({"do": "pause"})
    assert refused.value.rule == "script_gone"


@pytest.mark.slow
def test_modules_of_the_working_directory_stand_before_none_of_python_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for Python, only the script's own folder does."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "random.py").write_text("raise ImportError")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "beside.py").write_text("word = 'found'")
    path = script(tmp_path / "below", ADAM + "train(1)\nimport beside, sys\nprint(beside.word, sys.path[0])")
    assert apart(path).out == f"found {path.parent}\n"


@pytest.mark.slow
def test_the_line_is_the_script_s_alone_and_no_file_of_its_is_written_to(tmp_path: Path) -> None:
    """Children have neither the socket nor its number; a descriptor that the script reuses is left alone."""
    text = """
    import multiprocessing, subprocess
    links = "[os.readlink(p) for n in os.listdir(d) if os.path.islink(p := d + n)]"
    ask = f"import os; d = '/proc/self/fd/'; print({links}, 'TREINO_STUDIO_SOCKET' in os.environ)"
    def sockets():
        return sum(os.readlink(f"/proc/self/fd/{n}").startswith("socket")
            for n in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{n}"))
    def child():
        train(3)
        os._exit(0 if sockets() == 0 else 1)
    torch.set_num_threads(1)  # a fork has none of OpenMP's threads, and would wait for them
    train(2)
    forked = os.fork()
    if not forked: child()
    print(os.waitpid(forked, 0)[1])
    print(subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, close_fds=False).stdout)
    numbers = [int(n) for n in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{n}")]
    os.closerange(3, max(numbers) + 1)
    files = [open(f"file{i}", "w") for i in range(max(numbers))]
    import time
    train(3, lambda step: time.sleep(0.06))
    for file in files: file.close()
    print([os.path.getsize(f"file{i}") for i in range(len(files))].count(0) == len(files))
    """
    seen = apart(script(tmp_path, ADAM + "os.chdir(os.path.dirname(__file__))\n" + textwrap.dedent(text)))
    forked, child, empty = seen.out.split("\n", 1)[0], seen.out.split("\n")[1], seen.out.split()[-1]
    assert (forked, empty) == ("0", "True")
    assert "socket" not in child
    assert child.endswith("False")
    assert seen.status == 0


# --- in this process, whose torch is there already ------------------------------------------------------
def test_paused_it_takes_single_steps_and_changes_and_presses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is asked while it is paused happens in order, before the step that comes next."""
    monkeypatch.chdir(tmp_path)
    text = """
    import threading
    main = threading.main_thread()
    tr.button("where", lambda: print("in main", threading.current_thread() is main))
    tr.button("broken", lambda: 1 / 0)
    train(10**9)
    """
    waiting: list[Message] = [
        {"do": "set", "name": "lr", "value": 0.5},
        {"do": "press", "button": "where"},
        {"do": "press", "button": "broken"},
        {"do": "step", "count": 2},
        {"do": "stop"},
    ]

    def answer(message: Message, send: Send) -> None:
        if "paused" in message:
            while waiting and send(waiting[0]) is None and waiting.pop(0)["do"] != "step":
                pass
        elif "step" in message and len(waiting) == 5 and not asked:
            asked.append(send({"do": "pause"}))

    asked: list[object] = []
    seen = here(script(tmp_path, ADAM + textwrap.dedent(text)), monkeypatch=monkeypatch, answer=answer)
    assert seen.status == 130
    assert seen.all("paused") == [True, True, False]
    at = [i for i, m in enumerate(seen.messages) if "paused" in m]
    between = [m for m in seen.messages[at[0] + 1 : at[1]] if "output" not in m]
    step = between[0]["changed"]["step"]
    assert between[0]["changed"]["value"] == 0.5
    assert between[1]["changed"] == {
        "step": step,
        "do": "press",
        "button": "where",
        "file": str(tmp_path / "train.steering.jsonl"),
    }
    assert between[2]["error"]["rule"] == "button_failed"
    assert "ZeroDivisionError: division by zero (train.py:" in between[2]["error"]["message"]
    assert [m["step"] for m in between[3:]] == [step, step + 1]
    assert between[3]["optimizers"][0]["groups"][0]["lr"] == 0.5
    assert seen.all("end") == [{"status": 130, "steps": step + 1, "error": "KeyboardInterrupt"}]
    said = capfd.readouterr()
    assert said.out == "in main True\n"
    assert "treino/studio" not in said.err
    assert said.err.splitlines()[-1] == "KeyboardInterrupt"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("print('hello')", "never trained"),
        ("w = torch.ones(2, requires_grad=True)\nfor i in range(100): w.sum().backward()", "no step of an"),
        (
            "for p in net.parameters(): p.grad = torch.ones_like(p)\nfor i in range(20): optimizer.step()",
            "No loss",
        ),
        ("net(x).backward(torch.ones(32, 1)); optimizer.step()", "other than one number"),
        (
            "import threading\nt = threading.Thread(target=train, args=(3,)); t.start(); t.join()",
            "made in a thread",
        ),
    ],
    ids=["no training", "by hand", "no loss", "many numbers", "thread"],
)
def test_it_says_what_it_can_t_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    seen = here(script(tmp_path, ADAM + text), monkeypatch=monkeypatch)
    assert seen.status == 0
    (sentence,) = seen.all("unseen")[-1]
    assert said in sentence


@pytest.mark.parametrize(
    ("scheduler", "after"),
    [("ExponentialLR(optimizer, 0.5)", 0.4), ("LambdaLR(optimizer, lambda i: 1.0)", 0.01)],
)
def test_a_scheduler_has_the_last_word_or_multiplies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheduler: str, after: float
) -> None:
    monkeypatch.chdir(tmp_path)
    text = f"""
    import time
    scheduler = torch.optim.lr_scheduler.{scheduler}
    scheduled = False
    def after(step):
        global scheduled
        if optimizer.param_groups[0]["lr"] == 0.8:
            scheduler.step()
            print(optimizer.param_groups[0]["lr"])
            sys.exit()
        time.sleep(0.001)
    train(10**9, after)
    """
    seen = here(
        script(tmp_path, ADAM + textwrap.dedent(text)),
        monkeypatch=monkeypatch,
        answer=at_first_step({"do": "set", "name": "lr", "value": 0.8}),
    )
    assert seen.all("changed")[0]["until"] == "the scheduler's next step"
    assert seen.steps[-1]["optimizers"][0]["groups"][0]["lr"] == pytest.approx(after)


def test_closures_scaled_losses_sparse_gradients_and_no_grad_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    text = """
    def closure():
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        closure.loss = loss.item()
        closure.norm = torch.cat([p.grad.flatten() for p in net.parameters()]).norm().item()
        return loss
    optimizer = torch.optim.LBFGS(net.parameters(), lr=0.1, max_iter=4)
    optimizer.step(closure)
    print(closure.loss, closure.norm)

    scaler = torch.amp.GradScaler("cpu")
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    loss = loss_of()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    print(loss.item())

    words = torch.nn.Embedding(9, 3, sparse=True)
    optimizer = torch.optim.SparseAdam(words.parameters())
    loss = words(torch.tensor([1, 1, 4])).pow(2).sum()
    loss.backward()
    with torch.set_grad_enabled(False):
        optimizer.step()
    print(loss.item(), words.weight.grad.to_dense().norm().item())
    optimizer.zero_grad()
    (words(torch.tensor([1])).sum() * float("nan")).backward()
    optimizer.step()
    """
    monkeypatch.setattr("treino_studio.script.figures.EVERY", 0.0)
    seen = here(script(tmp_path, text), monkeypatch=monkeypatch)
    assert seen.status == 0
    closure, scaled, sparse = (tuple(map(float, s.split())) for s in capfd.readouterr().out.splitlines())
    assert seen.losses == [closure[0], scaled[0], sparse[0], "nan"]
    names = [[each["name"] for each in m["optimizers"]] for m in seen.steps]
    assert names[0] == ["LBFGS"]
    norms = [m["optimizers"][-1]["gradient_norm"] for m in seen.steps]
    assert norms[0] == pytest.approx(closure[1], rel=1e-6)
    assert norms[2] == pytest.approx(sparse[1], rel=1e-6)
    assert norms[3] == "nan"
    assert [m.get("optimizer_of_losses") for m in seen.steps] == [None, [1], [2], [2]]


@pytest.mark.parametrize("text", ["1 / 0", "raise SystemExit('no')", "print(", "sys.exit(6)"])
def test_a_script_that_fails_fails_as_it_does_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], text: str
) -> None:
    path = script(tmp_path, ADAM + "train(2)\n" + text)
    seen = here(path, monkeypatch=monkeypatch)
    said = capfd.readouterr()
    alone = plain(path)
    assert (seen.status, said.out, said.err.strip()) == (alone.status, alone.out, alone.err)


@pytest.mark.parametrize("name", ["there_is_none.py", ".", "model.pt"])
def test_what_is_no_script_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "model.pt").write_bytes(b"PK\x00\x01")
    seen = here(tmp_path / name, monkeypatch=monkeypatch)
    assert seen.status == 2
    error = seen.all("error")[0]
    assert error["rule"] == "script"
    assert error["message"] in capfd.readouterr().err
    assert seen.all("end") == [{"status": 2, "steps": 0, "error": None}]
    assert torch.autograd.backward.__code__.co_filename.endswith("autograd/__init__.py")  # as it was


def test_a_file_that_is_damaged_or_of_another_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path, file = script(tmp_path, ADAM + "train(3)\nprint(digest())"), tmp_path / "steering.jsonl"
    header = {"steering": 1, "script": "x.py", "sha256": "0" * 64, "args": ["--a"], "torch": "1.0"}
    change = {"step": 2, "optimizer": 0, "group": 0, "name": "lr", "value": 0.5}
    later = change | {"step": 9}
    lines = [json.dumps(each) for each in (header, change, {**change, "optimizer": 3}, later)]
    file.write_text("\n".join(lines))
    seen = here(path, monkeypatch=monkeypatch, replay=str(file))
    warnings = seen.all("warning")
    assert seen.status == 0
    assert [any(word in each for each in warnings) for word in ("text differs", "--a", "1.0")] == [True] * 3
    assert "step 2: The script has no optimizer 3" in warnings[3]
    assert warnings[4] == "Changes not made, as the script ended before their steps: 1."
    assert all(f"treino studio: {each}" in capfd.readouterr().err for each in warnings[:1])

    file.write_text("\n".join([*lines[:2], lines[2][:-9]]))
    seen = here(path, monkeypatch=monkeypatch, replay=str(file))
    assert seen.status == 2
    assert f"{file}, line 3" in seen.all("error")[0]["message"]


def test_a_former_file_is_never_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.steering.jsonl").write_text("mine")
    (tmp_path / "elsewhere").mkdir()
    path = script(tmp_path, ADAM + "os.chdir('elsewhere')\n" + UNTIL_SET)
    seen = here(
        path, monkeypatch=monkeypatch, answer=at_first_step({"do": "set", "name": "lr", "value": 0.5})
    )
    monkeypatch.chdir(tmp_path)
    assert (tmp_path / "train.steering.jsonl").read_text() == "mine"
    assert seen.all("changed")[0]["file"] == str(tmp_path / "train.steering-2.jsonl")
    assert len((tmp_path / "train.steering-2.jsonl").read_text().splitlines()) == 2


def test_a_change_that_can_t_be_written_down_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = at_first_step({"do": "set", "name": "lr", "value": 0.5})

    def answer(message: Message, send: Send) -> None:
        first(message, send)
        if "error" in message:
            send({"do": "stop"})

    path, record = script(tmp_path, ADAM + UNTIL_SET), str(tmp_path / "none" / "x.jsonl")
    seen = here(path, monkeypatch=monkeypatch, answer=answer, record=record)
    assert seen.status == 130
    assert seen.all("error")[0]["rule"] == "file_vanished"
    assert seen.steps[-1]["optimizers"][0]["groups"][0]["lr"] == 0.01


def test_a_stop_after_a_change_is_repeated_and_what_is_changed_besides_goes_to_a_file_of_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = """
    try:
        train(10**9)
    finally:
        print(digest())
    """
    path, lr = script(tmp_path, ADAM + textwrap.dedent(text)), {"do": "set", "name": "lr", "value": 0.5}
    stopped = here(path, monkeypatch=monkeypatch, answer=at_first_step(lr, {"do": "stop"}))
    file = tmp_path / "train.steering.jsonl"
    (end,) = stopped.all("end")
    weights_then = capfd.readouterr().out
    repeated = here(path, monkeypatch=monkeypatch, replay=str(file))
    assert repeated.all("end") == [end]
    assert capfd.readouterr().out == weights_then
    assert repeated.all("changed")[0]["file"] is None

    lines = file.read_text().splitlines()
    later = [{**json.loads(line), "step": 10**9} for line in lines[2:]]
    file.write_text("\n".join([*lines[:2], *map(json.dumps, later)]))
    change = {"do": "set", "name": "weight_decay", "value": 0.5}

    def answer(message: Message, send: Send) -> None:
        if "changed" in message:
            send(change if message["changed"]["name"] == "lr" else {"do": "stop"})

    here(path, monkeypatch=monkeypatch, replay=str(file), answer=answer)
    names = [json.loads(line).get("name") for line in Path("train.steering-2.jsonl").read_text().splitlines()]
    assert names == [None, "lr", "weight_decay", None]


def test_nobody_watches_and_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
    tr.button("end", lambda: pressed.append(1))
    pressed = []
    while not pressed: train(1)
    train(50)
    """
    off = at_first_step({"do": "watch", "on": False}, {"do": "press", "button": "end"})
    monkeypatch.chdir(tmp_path)
    seen = here(script(tmp_path, ADAM + textwrap.dedent(text)), monkeypatch=monkeypatch, answer=off)
    assert seen.losses
    assert len(seen.losses) <= seen.all("end")[0]["steps"] - 50


def test_findings_come_when_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = script(tmp_path, ADAM + "for i in range(40): loss_of().backward(); optimizer.step()")
    assert here(path, monkeypatch=monkeypatch).all("finding") == []
    found = here(path, monkeypatch=monkeypatch, findings=True).all("finding")
    assert [each["rule"] for each in found] == ["missing_zero_grad"]


def test_outside_of_the_studio_a_button_does_nothing_and_a_bad_one_is_refused() -> None:
    import treino as tr
    from treino_studio.script.commands import buttons

    called: list[int] = []
    assert tr.button("evaluate now", lambda: called.append(1)) is None  # type: ignore[func-returns-value]
    assert not called
    assert "evaluate now" in buttons
    for name, function in (("", print), ("x" * 61, print), (7, print), ("a", 7)):
        with pytest.raises(tr.TreinoError) as refused:
            tr.button(name, function)  # type: ignore[arg-type]
        assert refused.value.rule == "button"
    buttons.clear()
