"""Each mend on lines of many shapes: what the file holds afterwards, or that it is left and named."""

# ruff: noqa: E501

import re
from dataclasses import replace

import pytest

from test_fix import finding
from treino_doctor.finding import Site
from treino_doctor.output.fix import patch
from treino_doctor.places.source import refresh

# By rule: a file with "# here" on the finding's line and perhaps "# seen"; a mend adds {+this+} and takes [-that-],
# or nothing where it is left.
LINES = {
    "missing_zero_grad": {
        "semicolons": "for x in rows:\n    l = f(net(x)); {+o.zero_grad(); +}l.backward(); o.step()  # here\n",
        "a one-line loop": "for x in rows:{+ o.zero_grad();+} f(net(x)).backward(); o.step()  # here\n",
        "optimizers in a loop": "for x in rows:\n\tf(net(x)).backward()  # here\n\tfor o in both: o.step(){+; o.zero_grad()+}  # seen\n",
        "a schedule that steps first": "plan = StepLR(o)\nfor x in rows:{+\n    o.zero_grad()+}\n    f(x).backward()  # here\n    plan.step(); o.step()  # seen\n",
        "accumulation": "for i, x in rows:\n    f(x).backward()  # here\n    if i % 4 == 0: o.step(){+; o.zero_grad()+}  # seen\n",
        "a step in another method": "class T:\n    def a(self, l):\n        l.backward()  # here\n    def b(self):\n        self.o.step()  # seen{+\n        self.o.zero_grad()+}",
        "a lambda": "go = lambda l: (l.backward(), o.step())  # here\n",
        "a continued line": "if wet: \\\n   {+ o.zero_grad();+} f(x).backward(); o.step()  # here\n",
    },
    "grad_cleared_before_step": {
        "cleared between, on one line": "for x in rows:{+\n    o.zero_grad()+}\n    f(x).backward(); o.[-zero_grad(); o.-]step()  # here\n"
    },
    "softmax_before_cross_entropy": {
        "another name for nn": "from torch import nn as n\nnet = n.Sequential(n.Linear(4, 2), n.[-Softmax-]{+Identity+}([-dim=1-]))  # here\n",
        "a shadowed name": "from torch import nn\nfrom torch.nn import Softmax\ndef f(nn):\n    return Softmax(1)  # here\n",
        "no name for it": "from torch.nn import Linear, Sequential, Softmax\nnet = Sequential(Linear(4, 2), Softmax(1))  # here\n",
        "a star import": "from torch.nn import *\nnet = Sequential(Linear(4, 2), [-Softmax-]{+Identity+}([-1-]))  # here\n",
        "a sum inside a softmax": "import torch.nn.functional as F\nl = loss(2 * [-F.softmax-](a + b[-, dim=1-]), y)  # here\n",
        "two softmaxes": "w = s.softmax(1); l = loss(z.softmax(1), y)  # here\n",
    },
    "missing_no_grad": {
        "a name that is bound too late": "import torch\ndef f(net):\n    p = net(x)  # here\n    import torch\n",
        "no_grad by another name": "import torch as T\nnet = make()\nif wet:\n\t{+with T.no_grad():\n\t\t+}for x in rows:\n{+\t+}\t\tprint(net(x))  # here\n",
        "a generator": "import torch\ndef f(net):\n    yield net(x)  # here\n",
        "no name for no_grad": "net = make()\nprint(net(x))  # here\n",
    },
    "metric_wrong_axis": {
        "in NumPy": "import numpy as np\np = np.argmax(net(x).numpy(),{+axis=1+})  # here\n"
    },
    "missing_eval": {
        "a branch that evaluates": "net = make()\ndef fit(): f(net(x)).backward()\nfor e in range(9):\n    fit()\n    if e % 3 == 0: {+net.eval(); +}a = net(x){+; net.train()+}  # here\n",
        "a loop that trains until it is good": "net = make()\nwhile net(x) > 1:  # here\n    f(net(x)).backward()\n",
        "a net of a comprehension": "a = [n(x) for n in nets]  # here\n",
        "one that returns": "net = make()\ndef f(x): return net(x)  # here\n",
        "one that returns, and the loop wakes it": "net = make()\ndef f(x):{+ net.eval();+} return net(x)  # here\nnet.train()\n",
    },
    "unshuffled_sorted": {
        "a loader by another name": "from torch.utils.data import DataLoader as DL\nrows = DL(data, 32,{+shuffle=True+})  # here\n",
        "a loader with a sampler": "from torch.utils.data import DataLoader\nrows = DataLoader(data, sampler=s)  # here\n",
    },
    "graph_kept_alive": {"a sum beside a count": "t = t + {+(+}l * 2{+).detach()+}; n += 1  # here\n"},
    "no_step": {
        "a step that is not called, and a plan": "plan = StepLR(o)\nl.backward(); o.step{+()+}; plan.step  # here\n"
    },
}
CASES = {name: (rule, text) for rule, texts in LINES.items() for name, text in texts.items()}
ADDED, TAKEN = re.compile(r"{\+(.*?)\+}", re.DOTALL), re.compile(r"\[-(.*?)-\]", re.DOTALL)


@pytest.mark.parametrize(("rule", "text"), CASES.values(), ids=CASES)
def test_a_line_is_mended_or_left_and_named(rule, text, tmp_path):
    before, after = TAKEN.sub(r"\1", ADDED.sub("", text)), ADDED.sub(r"\1", TAKEN.sub("", text))
    path = tmp_path / "a script.py"
    path.write_bytes(before.encode())
    lines = before.splitlines()
    here = next(i for i, line in enumerate(lines, 1) if "# here" in line)
    seen = next((i for i, line in enumerate(lines, 1) if "# seen" in line), here)
    refresh()
    one = replace(finding(rule, path, here), seen=Site(str(path), seen))
    mended = patch([one], tmp_path)
    assert mended.sources == ({} if after == before else {str(path): after})
    assert mended.left == ((one,) if after == before else ())


def test_two_mends_of_one_block_are_both_made(tmp_path):
    path = tmp_path / "script.py"
    path.write_text("import torch\nnet = make()\nfor x in rows:\n    print(net(x))\n")
    refresh()
    [text] = patch([finding(r, path, 4) for r in ("missing_no_grad", "missing_eval")]).sources.values()
    block = "with torch.no_grad():\n    for x in rows:\n        print(net(x))\n"
    assert text.endswith(f"net.eval()\n{block}net.train()\n")
