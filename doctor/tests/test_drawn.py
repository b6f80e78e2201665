"""Right scripts drawn by chance, whole: data, split, net, loss, loop, what is kept, figure. None is accused.

A new or widened rule is *likely* until it has seen 200 of them without a word.
"""

import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examination import examined
from written import parts

PARTS = parts("drawn.txt")
# what is learned -> (targets, outputs, losses of (answers, targets), the classes that answers stand for)
CLASSES = """\
truth = (score > -1).long() + (score > 1).long()"""
BINARY = """\
truth = (score > 0).float(){column}"""
NUMBERS = """\
truth = (score{noise}){column}
truth = (truth - truth.mean()) / truth.std()"""
LOSSES = {
    "classes": (
        "nn.CrossEntropyLoss()",
        "F.cross_entropy",
        "lambda answer, target: F.nll_loss(F.log_softmax(answer, dim=1), target)",
        "nn.CrossEntropyLoss(label_smoothing=0.05)",
    ),
    "binary": (
        "nn.BCEWithLogitsLoss()",
        "F.binary_cross_entropy_with_logits",
        "lambda answer, target: F.binary_cross_entropy(torch.sigmoid(answer), target)",
    ),
    "numbers": (
        "nn.MSELoss()",
        "F.smooth_l1_loss",
        "lambda answer, target: ((answer - target) ** 2).mean()",
        "nn.L1Loss()",
        "lambda answer, target: F.mse_loss(answer, target, reduction='sum') / len(target)",
    ),
}
SPLITS = {
    "slices": "train, held = (data[:CUT], truth[:CUT]), (data[CUT:], truth[CUT:])",
    "permutation": "order = torch.randperm(N)\n"
    "train, held = (data[order[:CUT]], truth[order[:CUT]]), (data[order[CUT:]], truth[order[CUT:]])",
    "shuffled list": "numbers = list(range(N))\nrandom.shuffle(numbers)\n"
    "train, held = [(data[some], truth[some]) for some in (numbers[:CUT], numbers[CUT:])]",
    "random_split": "parts = random_split(TensorDataset(data, truth), [CUT, N - CUT])\n"
    "train, held = [tuple(map(torch.stack, zip(*part))) for part in parts]",
    "scaled": "mean, deviation = data[:CUT].mean(0), data[:CUT].std(0)\n"
    "train, held = [((rows - mean) / deviation, y) for rows, y in "
    "((data[:CUT], truth[:CUT]), (data[CUT:], truth[CUT:]))]",
}
BATCHES = {
    "whole": "[train]",
    "loader": "DataLoader(TensorDataset(*train), batch_size={size}, shuffle=True)",
    "in order": "DataLoader(TensorDataset(*train), {size})",
    "permutation": "[(train[0][some], train[1][some]) for some in torch.randperm(CUT).split({size})]",
}
NETS = {
    "linear": "nn.Linear(D, {out})",
    "relu": "nn.Sequential(nn.Linear(D, 32), nn.ReLU(), nn.Linear(32, {out}))",
    "tanh": "nn.Sequential(nn.Linear(D, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, {out}))",
    "norm": "nn.Sequential(nn.Linear(D, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, {out}))",
    "dropout": "nn.Sequential(nn.Linear(D, 32), nn.GELU(), nn.Dropout(0.1), nn.Linear(32, {out}))",
    "class": "Net()",
    "memory": "Reader()",
}
OPTIMIZERS = (
    "torch.optim.SGD(net.parameters(), lr=0.1)",
    "torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)",
    "torch.optim.Adam(net.parameters(), lr=0.01)",
    "torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.01)",
    "torch.optim.RMSprop(net.parameters(), lr=0.003)",
)
# a step, of ``rows, target``
STEPS = {
    "usual": "optimizer.zero_grad()\nloss = criterion({said}, target)\nloss.backward()\noptimizer.step()",
    "cleared after": "loss = criterion({said}, target)\nloss.backward()\noptimizer.step()\n"
    "optimizer.zero_grad(set_to_none=False)",
    "clipped": "optimizer.zero_grad()\nloss = criterion({said}, target)\nloss.backward()\n"
    "nn.utils.clip_grad_norm_(net.parameters(), 1.0)\noptimizer.step()",
    "in two parts": "optimizer.zero_grad()\nfor part, own in zip(rows.chunk(2), target.chunk(2)):\n"
    "    loss = criterion({part}, own) / 2\n    loss.backward()\noptimizer.step()",
    "scaled": "optimizer.zero_grad()\nloss = criterion({said}, target)\nscaler.scale(loss).backward()\n"
    "scaler.step(optimizer)\nscaler.update()",
}
JUDGES = {
    "classes": ("({said}.argmax(1) == target)", "(torch.max({said}, 1)[1].eq(target))"),
    "binary": ("(({said} > 0).float() == target)", "(torch.sigmoid({said}).round() == target)"),
    "numbers": ("(({said} - target).abs() < 0.5)",),
}
# what an evaluation adds of ``hits`` and ``lost`` in a batch, its figure, whether it is better if higher
FIGURES = {
    "percent": ("hits.sum().item()", "100.0 * total / seen", True),
    "share": ("hits.float().sum().item()", "total / seen", True),
    "mean of shares": ("hits.float().mean().item()", "total / batches", True),
    "errors": ("(~hits).sum().item()", "total / seen", False),
    "loss of rows": ("lost.item() * len(rows)", "total / seen", False),
    "loss of batches": ("lost.item()", "total / batches", False),
}
KEPT = {
    "nothing": "",
    "a dictionary": "if figure {better} best:\n    best = figure\n"
    "    kept = {{k: v.clone() for k, v in net.state_dict().items()}}",
    "a copy": "if best {worse} figure:\n    best, kept, waited = figure, copy.deepcopy(net), 0\n"
    "else:\n    waited += 1\n    if waited > 8:\n        break",
    "the newest": "kept = copy.deepcopy(net.state_dict())",
}
PRINTS = ('print(f"{epoch} {figure:.4f}")', 'print(epoch, "held", round(figure, 3))', "print(figure)", "pass")


@st.composite
def scripts(draw) -> str:
    """A right script in full."""

    def one(of):
        return draw(st.sampled_from([*of]))

    kind, seed, rows = one(LOSSES), draw(st.integers(0, 999)), draw(st.integers(150, 320))
    column = one(("", "[:, None]")) if kind != "classes" else ""
    net, size = one(NETS), one((16, 25, 32, 50))
    truth = {"classes": CLASSES, "binary": BINARY, "numbers": NUMBERS}[kind]
    noise = one(("", " + 0.3 * torch.randn(N)"))
    flat = ".squeeze(1)" if kind != "classes" and not column else ""
    said, part = f"net(rows){flat}", f"net(part){flat}"
    judged, (added, figure, higher) = one(JUDGES[kind]).format(said=said), FIGURES[one(FIGURES)]
    batches = one(BATCHES)
    epochs = 60 if batches == "whole" else 12
    names = ("percent", "share", "mean of shares", "errors")
    entries = (
        "hits.numel()"
        if figure in {FIGURES[n][1] for n in names} and "len(rows)" not in added
        else "len(rows)"
    )
    out = 3 if kind == "classes" else 1
    text = PARTS["HEAD"].format(seed=seed, rows=rows, columns=draw(st.integers(3, 8)))
    text += truth.format(column=column, noise=noise) + "\nCUT = int(0.75 * N)\n" + SPLITS[one(SPLITS)] + "\n"
    text += PARTS["KINDS"].format(out=out) if net in ("class", "memory") else ""
    kept = KEPT[one(KEPT)].format(better=">" if higher else "<", worse="<" if higher else ">")
    return text + PARTS["LOOP"].format(
        net=NETS[net].format(out=out),
        optimizer=one(OPTIMIZERS),
        loss=one(LOSSES[kind]),
        first="-1.0" if higher else "float('inf')",
        said=said,
        judged=judged,
        added=added,
        entries=entries,
        figure=figure,
        size=size,
        epochs=epochs,
        batches=BATCHES[batches].format(size=size),
        step=textwrap.indent(STEPS[one(STEPS)].format(said=said, part=part), " " * 8),
        shown=one(PRINTS),
        kept=textwrap.indent(kept, " " * 4),
    )


@pytest.mark.release
@pytest.mark.filterwarnings("ignore::FutureWarning")  # of a scaler's old name, which torch 1.13 needs
@settings(max_examples=220)
@given(scripts())
def test_nothing_is_told_of_a_right_script(tmp_path_factory, script):
    findings, _log = examined(script, tmp_path_factory.getbasetemp())
    assert [(f.rule, f.line, f.message) for f in findings] == []
