"""The exercise's check: correct functions of many styles pass; each usual fault is named, with numbers."""

import itertools
import json
import os
import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import assume, settings
from hypothesis import given as drawn
from hypothesis import strategies as st
from torch import nn

from apps.lessons.tests.variants import NOTED, RIGHT, START, STYLES, WHY, WRONG, made, says, text_of
from treino.base.apps import entries
from treino.base.errors import TreinoError
from treino.cli import main
from treino_lessons import check
from treino_lessons.__main__ import function_of, run
from treino_lessons.problem import LR, engine_s, keyed, problem

ROOT = Path(__file__).parents[3]
PLACES = os.pathsep.join([str(ROOT / "lessons"), os.environ.get("PYTHONPATH", "")])


@pytest.mark.parametrize("style", STYLES)
def test_right_ones_pass(style: str) -> None:
    outcome = check(made(STYLES[style]))
    assert outcome.passed, outcome
    assert outcome.precision == ("float32", "float64")
    assert outcome.largest["float64"] < 1e-12
    assert all("no_grad" in note for note in outcome.notes)
    assert bool(outcome.notes) == (style != "grad mode of its own")
    assert "Right: 6" in repr(outcome)


@pytest.mark.parametrize("fault", WRONG)
def test_each_fault_is_named(fault: str) -> None:
    rule, mode, step, changes = WRONG[fault]
    outcome = check(made(changes))
    different = outcome.difference
    assert different is not None, "nothing was seen"
    assert (different.rule, different.mode, different.step) == (rule, mode, step), outcome
    assert different.hint
    json.dumps(outcome.document)


ELSEWHERE = [name for name, changes in STYLES.items() if all(old in RIGHT for old, _new in changes)]


@pytest.mark.slow
@settings(max_examples=40, derandomize=True)
@drawn(st.sampled_from(sorted(WRONG)), st.sampled_from(ELSEWHERE))
def test_a_fault_has_its_name_however_the_rest_is_written(fault: str, style: str) -> None:
    rule, mode, step, changes = WRONG[fault]
    touched = {old for old, _new in changes}
    both = [*STYLES[style], *changes]
    assume(not any(old in other or other in old for old in touched for other, _new in STYLES[style]))
    different = check(made(both)).difference
    assert different is not None
    assert (different.rule, different.mode, different.step) == (rule, mode, step)


@pytest.mark.parametrize("fault", WHY)
def test_what_it_comes_from_is_said(fault: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(text_of(WRONG[fault][3]))
    assert WHY[fault] in repr(check(function_of(tmp_path / "mine.py")))


@pytest.mark.parametrize("way", NOTED)
def test_what_could_be_better_is_noted(way: str) -> None:
    word, changes = NOTED[way]
    outcome = check(made(changes))
    assert outcome.passed
    assert word in "".join(outcome.notes)


def test_the_numbers_are_those_of_a_plain_loop() -> None:
    """No zero_grad, two steps, written out with torch alone: the weight is the one that is told."""
    different = check(made(WRONG["gradients are summed"][3])).difference
    assert different is not None
    tried = problem(torch.float32)
    net, drops = tried.net()
    net.train()
    optimizer = torch.optim.SGD(net.parameters(), lr=LR)
    slopes = []
    for step in range(2):
        keyed(drops, step)
        x, y = tried.batch("train", step)
        before = {
            n: torch.zeros_like(p) if p.grad is None else p.grad.clone() for n, p in net.named_parameters()
        }
        nn.CrossEntropyLoss()(net(x), y).backward()
        slopes.append({n: p.grad - before[n] for n, p in net.named_parameters()})
        optimizer.step()
    name, index = re.findall(r"(\S+)\[([\d, ]+)\] moved", different.message)[0]
    place = tuple(int(i) for i in index.split(","))
    assert different.yours == pytest.approx(dict(net.named_parameters())[name][place].item(), rel=1e-6)
    used, fresh = (float(t) for t in re.findall(r"-?\d\.\d{5}", different.message))
    assert fresh == pytest.approx(slopes[1][name][place].item(), abs=1e-5)
    assert used == pytest.approx((slopes[0][name][place] + slopes[1][name][place]).item(), abs=1e-5)


def test_the_engine_s_training_is_a_plain_loop_s() -> None:
    tried = problem(torch.float64)
    answer = engine_s(tried)
    net, drops = tried.net()
    optimizer = torch.optim.SGD(net.parameters(), lr=LR)
    for step in range(6):
        keyed(drops, step)
        x, y = tried.batch("train", step % 3)
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(net.train()(x), y)
        loss.backward()
        optimizer.step()
        assert answer.train[step] == pytest.approx(loss.item(), rel=1e-6)
        for name, t in net.state_dict().items():
            torch.testing.assert_close(answer.states[step + 1][name], t, rtol=1e-12, atol=1e-14)
        if step % 3 == 2:
            batches = [tried.batch("test", number) for number in range(3)]
            wanted = [nn.CrossEntropyLoss()(net.eval()(x), y).item() for x, y in batches]
            assert answer.test[step // 3] == pytest.approx(wanted, rel=1e-12)


def test_the_function_s_own_names_come_back() -> None:
    forward = made([])
    place = forward.__globals__
    place["criterion"] = "mine"
    del place["np"]
    assert check(forward).passed
    assert place["criterion"] == "mine"
    assert not {"optimizer", "args", "device", "np"} & set(place)
    assert torch.is_grad_enabled()


def yields(loader: Any, net: Any, epoch: int, mode: str) -> Any:
    yield from loader


@pytest.mark.parametrize("given", [3, nn.Linear, lambda loader, net: 0, lambda *, loader: 0, yields])
def test_what_is_no_such_function_is_refused(given: Any) -> None:
    with pytest.raises(TreinoError):
        check(given)


@pytest.mark.slow
def test_what_is_told_fits_a_page(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Of 24 lines of 80 characters, in either language, however much the function prints."""
    loud = (START, f"    [print('loss' * 99) for n in range(99)]\n{START}")
    ends = says("return float(sum(epoch_loss)) / 3")
    own = (START, f"    criterion = torch.nn.CrossEntropyLoss()\n{START}")
    (tmp_path / "right.py").write_text(text_of([ends, (".cpu().detach()", ".cpu()"), own, loud]))
    for number, (_rule, _mode, _step, changes) in enumerate(WRONG.values()):
        (tmp_path / f"{number}.py").write_text(text_of(changes))
    for file, language in zip(sorted(tmp_path.iterdir()), itertools.cycle(("pt_BR", "en")), strict=False):
        main([str(file), "--lang", language], run)
        said = "".join(capfd.readouterr())
        assert 0 < sum(-(-len(line) // 80) for line in said.splitlines()) <= 24, (file.name, said)


@pytest.mark.slow
def test_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def said(changes: list[tuple[str, str]], *flags: str) -> tuple[int, str, str]:
        (tmp_path / "mine.py").write_text(text_of(changes))
        capfd.readouterr()
        return main([str(tmp_path / "mine.py"), *flags], run), *capfd.readouterr()

    status, out, err = said([says("print(f'loss {said.mean():.4f}')")])
    assert (status, "Right" in out, "loss 1." in err) == (0, True, True)
    status, _out, err = said([says("[print(n) for n in range(9999)]")])
    assert (status, "39\u202f991 lines more" in err) == (1, True)
    status, out, _err = said(WRONG["gradients are summed"][3], "--json")
    assert (status, json.loads(out)["passed"]) == (1, False)
    assert json.loads(out)["difference"]["rule"] == "summed_gradients"


@pytest.mark.slow
def test_a_process_ends_with_the_command_s_status(tmp_path: Path) -> None:
    own = os.environ | {"PYTHONPATH": PLACES}
    command = [sys.executable, "-m", "treino_lessons", "missing.py", "--json"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=own)
    assert said.returncode == 2
    assert json.loads(said.stdout)["error"]["rule"]


UNUSABLE = {
    "def forward(": "file_fails",
    "x = 1 / 0": "file_fails",
    "raise SystemExit": "file_fails",
    "def forwrd(a): pass": "no_forward",
    "def forward(loader, net): pass": "forward_arguments",
    "forward = 3": "not_a_function",
}


@pytest.mark.parametrize("text", UNUSABLE)
def test_a_file_of_no_use_is_said(text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text(text)
    assert main([str(tmp_path / "mine.py"), "--json"], run) == 2
    out, err = capfd.readouterr()
    assert json.loads(out)["error"]["rule"] == UNUSABLE[text]
    assert "Traceback" not in err


def test_a_path_of_no_use_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "forward.py").write_text("")
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe\x00")
    for given, word in (("forwrad.py", "forward.py"), ("bytes.py", "UTF-8"), ("", "Python")):
        assert main([str(tmp_path / given)], run) == 2
        assert word in capfd.readouterr().err
    for tokens in ([], ["a.py", "b.py"], ["--wrong"]):
        assert main(tokens, run) == 2
    assert main(["--help"], run) == 0


def test_the_command_shows_each_slip_of_the_course_s_adam(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("treino_microscope")
    assert main(["adam", "--json", "--lang", "en"], run) == 0
    shown = json.loads(capfd.readouterr().out)
    assert any("Trained with each slip alone" in step["title"] for step in shown["steps"])
    assert len(shown["checks"]) == 5
    assert all(check["holds"] for check in shown["checks"])
    assert main(["adam", "--lang", "en"], run) == 0
    assert "V built from S" in capfd.readouterr().out


def test_where_the_app_of_the_course_s_adam_is_missing_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    entry = EntryPoint("course_adam", "treino_nowhere.course:show", "treino.functions")
    monkeypatch.setitem(entries("treino.functions"), "course_adam", entry)
    assert main(["adam", "--json"], run) == 2
    assert json.loads(capfd.readouterr().out)["error"]["rule"] == "app_missing"
