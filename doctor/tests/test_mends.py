"""Each mend on lines of many shapes: what the file holds afterwards, or that it is left and named."""

# ruff: noqa: E501

from dataclasses import replace

import pytest

from test_fix import finding
from treino_doctor.finding import Site
from treino_doctor.output.fix import patch
from treino_doctor.places.source import refresh

# (rule, the file with "# here" on the finding's line and perhaps "# seen", the same line afterwards)
LINES = {
    "semicolons": (
        "missing_zero_grad",
        "for x in rows:\n    l = f(net(x)); l.backward(); o.step()  # here\n",
        "for x in rows:\n    l = f(net(x)); o.zero_grad(); l.backward(); o.step()  # here\n",
    ),
    "a one-line loop": (
        "missing_zero_grad",
        "for x in rows: f(net(x)).backward(); o.step()  # here\n",
        "for x in rows: o.zero_grad(); f(net(x)).backward(); o.step()  # here\n",
    ),
    "optimizers in a loop": (
        "missing_zero_grad",
        "for x in rows:\n\tf(net(x)).backward()  # here\n\tfor o in both: o.step()  # seen\n",
        "for x in rows:\n\tf(net(x)).backward()  # here\n\tfor o in both: o.step(); o.zero_grad()  # seen\n",
    ),
    "a schedule that steps first": (
        "missing_zero_grad",
        "plan = StepLR(o)\nfor x in rows:\n    f(x).backward()  # here\n    plan.step(); o.step()  # seen\n",
        "plan = StepLR(o)\nfor x in rows:\n    o.zero_grad()\n    f(x).backward()  # here\n"
        "    plan.step(); o.step()  # seen\n",
    ),
    "accumulation": (
        "missing_zero_grad",
        "for i, x in rows:\n    f(x).backward()  # here\n    if i % 4 == 0: o.step()  # seen\n",
        "for i, x in rows:\n    f(x).backward()  # here\n    if i % 4 == 0: o.step(); o.zero_grad()  # seen\n",
    ),
    "a step in another method": (
        "missing_zero_grad",
        "class T:\n    def a(self, l):\n        l.backward()  # here\n    def b(self):\n        self.o.step()  # seen",
        "class T:\n    def a(self, l):\n        l.backward()  # here\n    def b(self):\n        self.o.step()  # seen"
        "\n        self.o.zero_grad()",
    ),
    "a lambda": ("missing_zero_grad", "go = lambda l: (l.backward(), o.step())  # here\n", None),
    "a continued line": (
        "missing_zero_grad",
        "if wet: \\\n    f(x).backward(); o.step()  # here\n",
        "if wet: \\\n    o.zero_grad(); f(x).backward(); o.step()  # here\n",
    ),
    "cleared between, on one line": (
        "grad_cleared_before_step",
        "for x in rows:\n    f(x).backward(); o.zero_grad(); o.step()  # here\n",
        "for x in rows:\n    o.zero_grad()\n    f(x).backward(); o.step()  # here\n",
    ),
    "another name for nn": (
        "softmax_before_cross_entropy",
        "from torch import nn as n\nnet = n.Sequential(n.Linear(4, 2), n.Softmax(dim=1))  # here\n",
        "from torch import nn as n\nnet = n.Sequential(n.Linear(4, 2), n.Identity())  # here\n",
    ),
    "a shadowed name": (
        "softmax_before_cross_entropy",
        "from torch import nn\nfrom torch.nn import Softmax\ndef f(nn):\n    return Softmax(1)  # here\n",
        None,
    ),
    "no name for it": (
        "softmax_before_cross_entropy",
        "from torch.nn import Linear, Sequential, Softmax\nnet = Sequential(Linear(4, 2), Softmax(1))  # here\n",
        None,
    ),
    "a star import": (
        "softmax_before_cross_entropy",
        "from torch.nn import *\nnet = Sequential(Linear(4, 2), Softmax(1))  # here\n",
        "from torch.nn import *\nnet = Sequential(Linear(4, 2), Identity())  # here\n",
    ),
    "a sum inside a softmax": (
        "softmax_before_cross_entropy",
        "import torch.nn.functional as F\nl = loss(2 * F.softmax(a + b, dim=1), y)  # here\n",
        "import torch.nn.functional as F\nl = loss(2 * (a + b), y)  # here\n",
    ),
    "a name that is bound too late": (
        "missing_no_grad",
        "import torch\ndef f(net):\n    p = net(x)  # here\n    import torch\n",
        None,
    ),
    "two softmaxes": (
        "softmax_before_cross_entropy",
        "w = s.softmax(1); l = loss(z.softmax(1), y)  # here\n",
        None,
    ),
    "an axis that is a name": (
        "softmax_wrong_dim",
        "import torch\np = torch.softmax(a, d)  # here\n",
        "import torch\np = torch.softmax(a, 1)  # here\n",
    ),
    "no axis, in NumPy": (
        "metric_wrong_axis",
        "import numpy as np\np = np.argmax(net(x).numpy(),)  # here\n",
        "import numpy as np\np = np.argmax(net(x).numpy(),axis=1)  # here\n",
    ),
    "a branch that evaluates": (
        "missing_eval",
        "net = make()\ndef fit(): f(net(x)).backward()\nfor e in range(9):\n    fit()\n"
        "    if e % 3 == 0: a = net(x)  # here\n",
        "net = make()\ndef fit(): f(net(x)).backward()\nfor e in range(9):\n    fit()\n"
        "    if e % 3 == 0: net.eval(); a = net(x); net.train()  # here\n",
    ),
    "a net of a comprehension": ("missing_eval", "a = [n(x) for n in nets]  # here\n", None),
    "one that returns": ("missing_eval", "net = make()\ndef f(x): return net(x)  # here\n", None),
    "one that returns, and the loop wakes it": (
        "missing_eval",
        "net = make()\ndef f(x): return net(x)  # here\nnet.train()\n",
        "net = make()\ndef f(x): net.eval(); return net(x)  # here\nnet.train()\n",
    ),
    "no_grad by another name": (
        "missing_no_grad",
        "import torch as T\nnet = make()\nif wet:\n\tfor x in rows:\n\t\tprint(net(x))  # here\n",
        "import torch as T\nnet = make()\nif wet:\n\twith T.no_grad():\n\t\tfor x in rows:\n\t\t\tprint(net(x))"
        "  # here\n",
    ),
    "no name for no_grad": ("missing_no_grad", "net = make()\nprint(net(x))  # here\n", None),
    "a loader by another name": (
        "unshuffled_sorted",
        "from torch.utils.data import DataLoader as DL\nrows = DL(data, 32,)  # here\n",
        "from torch.utils.data import DataLoader as DL\nrows = DL(data, 32,shuffle=True)  # here\n",
    ),
    "a loader with a sampler": (
        "unshuffled_sorted",
        "from torch.utils.data import DataLoader\nrows = DataLoader(data, sampler=s)  # here\n",
        None,
    ),
    "a sum beside a count": (
        "graph_kept_alive",
        "t += l * 2; n += 1  # here\n",
        "t += (l * 2).detach(); n += 1  # here\n",
    ),
    "a seed beside others": (
        "seed_reset_each_epoch",
        "for e in range(9): torch.manual_seed(0); train()  # here\n",
        "for e in range(9): pass; train()  # here\n",
    ),
    "a seed that is kept": ("seed_reset_each_epoch", "g = torch.manual_seed(0)  # here\n", None),
    "a step that is not called, and a plan": (
        "no_step",
        "plan = StepLR(o)\nl.backward(); o.step; plan.step  # here\n",
        "plan = StepLR(o)\nl.backward(); o.step(); plan.step  # here\n",
    ),
}


@pytest.mark.parametrize(("rule", "before", "after"), LINES.values(), ids=LINES)
def test_a_line_is_mended_or_left_and_named(rule, before, after, tmp_path):
    path = tmp_path / "a script.py"
    path.write_bytes(before.encode())
    lines = before.splitlines()
    here = next(i for i, line in enumerate(lines, 1) if "# here" in line)
    seen = next((i for i, line in enumerate(lines, 1) if "# seen" in line), here)
    refresh()
    one = replace(finding(rule, path, here), seen=Site(str(path), seen))
    mended = patch([one], tmp_path)
    assert mended.sources == ({} if after is None else {str(path): after})
    assert mended.left == (() if after else (one,))


def test_two_mends_of_one_block_are_both_made(tmp_path):
    path = tmp_path / "script.py"
    path.write_text("import torch\nnet = make()\nfor x in rows:\n    print(net(x))\n")
    refresh()
    mended = patch([finding(rule, path, 4) for rule in ("missing_no_grad", "missing_eval")])
    [text] = mended.sources.values()
    assert text.endswith(
        "net.eval()\nwith torch.no_grad():\n    for x in rows:\n        print(net(x))\nnet.train()\n"
    )
