"""What a source says of clearing, stepping and choosing parameters, where it does none of it."""

import ast
from textwrap import dedent

import pytest

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.choices import tells_stopper
from treino.diagnosis.reading.clearing import meant_to_clear, meant_to_step
from treino.diagnosis.reading.groups import choosing_line, opening_line


def at(tmp_path, source: str, mark: str) -> Site:
    """The line that ends with this mark, in a file of this source."""
    path = tmp_path / "script.py"
    path.write_text(dedent(source))
    lines = path.read_text().splitlines()
    return Site(str(path), next(i for i, line in enumerate(lines, 1) if line.endswith(f"# {mark}")))


CLEARINGS = {
    "named": """
        def wipe_gradients(nets):
            for net in nets:
                net.zero_grad  # here
        wipe_gradients(nets)
        loss.backward()  # backward
    """,
    "lazy": """
        class Both:
            def zero_grad(self):
                map(lambda o: o.zero_grad(), self.all)  # here
        both.zero_grad()
        loss.backward()  # backward
    """,
    "a copy": """
        def clear_grads(parameters):
            for p in parameters:
                p.grad.clone().zero_()  # here
        clear_grads(net.parameters())
        loss.backward()  # backward
    """,
}
WORKING = """
    class Base:
        def zero_grad(self):
            raise NotImplementedError
    class Real(Base):
        def zero_grad(self):
            self.inner.zero_grad()
    hooks.append(optimizer.zero_grad)
    Real().zero_grad()
    loss.backward()  # backward
"""


@pytest.mark.parametrize("case", CLEARINGS)
def test_a_clearing_that_clears_nothing_is_the_place(case, tmp_path):
    here = at(tmp_path, CLEARINGS[case], "here")
    found = meant_to_clear(at(tmp_path, CLEARINGS[case], "backward"))
    assert found is not None
    assert found.line == here.line


def test_a_clearing_that_may_work_is_none(tmp_path):
    assert meant_to_clear(at(tmp_path, WORKING, "backward")) is None


def test_a_step_that_never_comes_true_is_the_place(tmp_path):
    source = """
        for i, x in enumerate(rows):
            loss.backward()  # backward
            if i % 64 == 63:  # here
                optimizer.step()
    """
    found = meant_to_step(at(tmp_path, source, "backward"), None, alone=True)
    assert found == at(tmp_path, source, "here")
    assert meant_to_step(at(tmp_path, source, "backward"), None, alone=False) is None


GROUPS = {
    "conditions": """
        def groups(net):
            some, others = [], []
            for name, p in net.named_parameters():
                if p.ndim == 2:
                    some.append(p)
                elif "bias" in name:  # here
                    others.append(p)
            return [{"params": some}, {"params": others, "weight_decay": 0.0}]
        optimizer = AdamW(groups(net), lr=0.1)  # made
    """,
    "a comprehension": """
        def make(net, lr):
            chosen = [p for n, p in net.named_parameters() if n.startswith("head")]  # here
            rate = 10 * lr
            print(rate)
            return SGD(chosen, lr=rate)  # made
    """,
    "a method": """
        class Net:
            def listed(self):
                return [*self.one.parameters(), *self.two.parameters()]  # here
        net = Net()
        x = load()
        optimizer = SGD(net.listed(), lr=0.1)  # made
    """,
    "only what is frozen": """
        def build():
            return Net()
        net = build()
        x = load()
        wanted = [p for p in net.parameters() if p.requires_grad]
        y = load()
        z = load()
        optimizer = SGD(wanted, lr=0.1)  # here # made
    """,
}


@pytest.mark.parametrize("case", GROUPS)
def test_what_leaves_parameters_out_is_the_place(case, tmp_path):
    made = at(tmp_path, GROUPS[case], "made")
    lines = [
        i for i, line in enumerate((tmp_path / "script.py").read_text().splitlines(), 1) if "# here" in line
    ]
    found = choosing_line(made)
    assert found is not None
    assert [found.line] == lines


def test_parameters_are_opened_on_one_line(tmp_path):
    source = """
        optimizer = SGD(head.parameters(), lr=0.1)  # made
        image.requires_grad_(True)
        for p in body.parameters():
            p.requires_grad = True  # here
    """
    assert opening_line(at(tmp_path, source, "made")) == at(tmp_path, source, "here")


@pytest.mark.parametrize(
    ("source", "tells"),
    [
        ("scheduler.step(accuracy)", True),
        ("early_stopping(score)", True),
        ("torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)", False),
        ("EarlyStopping(patience)", False),
    ],
)
def test_making_a_schedule_tells_it_no_figure(source, tells):
    call = ast.parse(source, mode="eval").body
    assert isinstance(call, ast.Call)
    assert tells_stopper(call) is tells
