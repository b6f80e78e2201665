"""Correct and wrong answers to the exercise, each as a list of changes to the first."""

from collections.abc import Callable
from typing import Any

Changes = list[tuple[str, str]]

MODES = '    if mode == "train":\n        net.train()\n    else:\n        net.eval()\n'
START = "    epoch_loss = []"
LOOP = "for batch in loader"
X, Y = 'x.to(args["device"])', 'y.to(args["device"])'
MOVE = f"x, y = {X}, {Y}"
PRED = "pred = net(x)"
LOSS = "loss = criterion(pred, y)"
WHEN = '        if mode == "train":\n'
ZERO = "            optimizer.zero_grad()\n"
BACK = "            loss.backward()\n"
STEP = "            optimizer.step()\n"
UPDATE = WHEN + ZERO + BACK + STEP
SAYS = "    return said.mean()\n"
OWN = f"{START}\n    optimizer = torch.optim"
RIGHT = f"""
import numpy as np
import torch
import torch.nn.functional as F

def forward(loader, net, epoch, mode):
{MODES}
{START}
    {LOOP}:
        x, y = batch
        {MOVE}
        {PRED}
        {LOSS}
        epoch_loss.append(loss.cpu().detach())
{UPDATE}
    said = np.asarray(epoch_loss)
{SAYS}
"""


def text_of(changes: Changes) -> str:
    text = RIGHT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def made(changes: Changes) -> Callable[..., Any]:
    place: dict[str, Any] = {}
    exec(compile(text_of(changes), "mine.py", "exec"), place)
    found: Callable[..., Any] = place["forward"]
    return found


def says(line: str) -> tuple[str, str]:
    return SAYS, f"    {line}\n"


def update(*lines: str) -> tuple[str, str]:
    return UPDATE, "".join(lines)


STYLES: dict[str, Changes] = {
    "returns the loss": [],
    "prints as the course does": [says('print("Loss: %.4f +/- %.4f" % (said.mean(), said.std()))')],
    "returns loss and accuracy": [says("return said.mean(), 0.5")],
    "returns it rounded": [says("return round(float(said.mean()), 3)")],
    "prints it with a comma": [says("print(f'perda {said.mean():.4f}'.replace('.', ','))")],
    "returns a list of three": [says("return [said.mean(), 0.5, 0.4]")],
    "means over rows": [
        (".detach())", ".detach() * len(y))"),
        says("return said.sum() / len(loader.dataset)"),
    ],
    "net.train(mode)": [(MODES, '    net.train(mode == "train")\n')],
    "zero_grad after the step": [update(WHEN, BACK, STEP, ZERO)],
    "zero_grad before the forward pass": [
        (PRED, f"optimizer.zero_grad()\n        {PRED}"),
        update(WHEN, BACK, STEP),
    ],
    "clears by hand": [("optimizer.zero_grad()", "net.zero_grad(set_to_none=False)")],
    "grad mode of its own": [(PRED, f'with torch.set_grad_enabled(mode == "train"):\n            {PRED}')],
    "functional loss": [(LOSS, "loss = F.cross_entropy(pred, y)")],
    "flattens as the course does": [(PRED, "pred = net(x.view(x.size(0), -1))")],
    "enumerates": [(LOOP, "for number, batch in enumerate(loader)")],
    "a device found out": [
        (MOVE, "d = 'cuda' if torch.cuda.is_available() else 'cpu'; x, y = x.to(d), y.to(d)")
    ],
    "to the network's device": [(MOVE, "x, y = (t.to(device=net[0].weight.device) for t in batch)")],
    "moves where they are used": [(MOVE, ""), (PRED, f"{PRED[:-2]}{X})"), (LOSS, f"{LOSS[:-2]}{Y})")],
    "compares on the host": [
        (MOVE, f"{MOVE}\n        _x, own = batch"),
        (LOSS, f"{LOSS}\n        right = (pred.cpu().argmax(1) == own).sum()"),
    ],
    "steps with a closure": [
        update(WHEN, ZERO, "            optimizer.step(lambda: loss.backward(retain_graph=True))\n")
    ],
}

_WRONG: dict[str, tuple[str, Changes]] = {  # -> "RULE MODE STEP", changes
    "gradients are summed": ("summed_gradients train 2", [(ZERO, "")]),
    "leftovers of the test": ("summed_gradients train 1", [update(BACK[4:], WHEN, STEP, ZERO)]),
    "softmax in front": ("softmax_twice train 1", [(PRED, "pred = net(x).softmax(1)")]),
    "always evaluates": ("mode_train train 1", [("net.train()", "net.eval()")]),
    "never evaluates": ("mode_test test 1", [("net.eval()", "pass")]),
    "train forgotten after the test": (
        "mode_train train 1",
        [("net.train()", "net.train() if epoch == 0 else None")],
    ),
    "dropout alone is put to rest": (
        "mode_test test 1",
        [("net.eval()", "[m.eval() for m in net if 'Drop' in str(m)]")],
    ),
    "moves in test": ("weights_moved_in_test test 1", [update("        if True:\n", ZERO, BACK, STEP)]),
    "no step": ("no_step train 1", [(STEP, "")]),
    "no backward": ("no_gradient train 1", [(BACK, "")]),
    "step first": ("no_gradient train 1", [update(WHEN, STEP, ZERO, BACK)]),
    "one step at the end": ("no_step train 1", [update(WHEN, BACK), ("    said =", f"{STEP[8:]}    said =")]),
    "steps twice": ("stepped_again train 1", [update(WHEN, ZERO, BACK, STEP, STEP)]),
    "sum instead of mean": ("loss_scaled train 1", [("loss.backward()", "(loss * len(y)).backward()")]),
    "another optimizer": ("another_optimizer train 1", [(START, f"{OWN}.Adam(net.parameters(), lr=0.5)")]),
    "an optimizer of its own": (
        "made_in_function train 0",
        [(START, f"{OWN}.SGD(net.parameters(), lr=args['lr'])")],
    ),
    "a schedule of its own": (
        "made_in_function train 0",
        [(START, f"    torch.optim.lr_scheduler.StepLR(optimizer, 30)\n{START}")],
    ),
    "leaves the rows where they are": ("not_moved train 1", [(MOVE, "pass")]),
    "names the host": ("not_moved train 1", [(MOVE, 'x, y = [t.to("cpu") for t in batch]')]),
    "NumPy reads the device": (
        "numpy_of_device train 0",
        [(LOSS, f"{LOSS}\n        right = (pred.detach().numpy().argmax(1) == y.cpu().numpy()).sum()")],
    ),
    "the mean of what lies on the device": (
        "numpy_of_device train 0",
        [("loss.cpu().detach()", "loss.detach()")],
    ),
    "leaves the classes of the accuracy": (
        "not_moved train 0",
        [
            (MOVE, f"{MOVE}\n        _x, own = batch"),
            (LOSS, f"{LOSS}\n        right = (pred.argmax(1) == own).sum()"),
        ],
    ),
    "a device that nobody gave": ("raises train 0", [(MOVE, "x, y = x.to(device), y.to(device)")]),
    "returns the accuracy first": ("loss_said train 0", [says("return 0.5, said.mean()")]),
    "prints one decimal": ("loss_said train 0", [says("print(f'loss {said.mean():.1f}')")]),
    "other loss": (
        "weights_differ train 1",
        [(LOSS, "loss = F.cross_entropy(pred, y, label_smoothing=0.1)")],
    ),
    "climbs": ("loss_turned train 1", [("loss.backward()", "(-loss).backward()")]),
    "clips": (
        "loss_scaled train 1",
        [(STEP, f"            torch.nn.utils.clip_grad_norm_(net.parameters(), 0.1)\n{STEP}")],
    ),
    "cut off": ("raises train 1", [(PRED, "pred = net(x).detach()")]),
    "never calls the network": (
        "network_unused train 0",
        [(PRED, "pred = torch.zeros(len(x), 3, requires_grad=True)")],
    ),
    "other rows": ("rows_changed train 1", [(PRED, "pred = net(x * 2)")]),
    "another loader": (
        "loader_unused train 0",
        [("in loader", "in train_loader"), (START, f"    train_loader = []\n{START}"), says("return 1.0")],
    ),
    "leaves early": (
        "loader_partly train 3",
        [update(UPDATE, "        if len(epoch_loss) > 1:\n            break\n")],
    ),
    "returns in the loop": ("loader_partly train 2", [update(UPDATE, "        return loss.item()\n")]),
    "goes over it again": ("loader_again train 4", [("in loader", "in [*loader, *loader]")]),
    "has no end": ("raises train 0", [(LOOP, "while True:\n        list(loader)\n    for batch in loader")]),
    "updates by hand": (
        "stepped_by_hand train 1",
        [("optimizer.step()", "[p.data.sub_(args['lr'] * p.grad) for p in net.parameters()]")],
    ),
    "returns every batch's loss": ("loss_said train 0", [says("return epoch_loss")]),
    "returns an array of them": ("loss_said train 0", [says("return said, 0.5")]),
    "returns the median": ("loss_said train 0", [says("return np.median(said)")]),
    "returns the first": ("loss_said train 0", [says("return said[0]")]),
    "returns the largest": ("loss_said train 0", [says("return said.max()")]),
    "says nan": ("loss_said train 0", [says("print(np.nan)")]),
    "says nothing": ("says_nothing train 0", [says("return None")]),
    "returns the sum": ("loss_said train 0", [says("return said.sum()")]),
    "divides by the rows": ("loss_said train 0", [says("return said.sum() / len(loader.dataset)")]),
    "returns a number near it": ("loss_said train 0", [says("return said.mean() * 1.001")]),
    "counts the last batch as a whole one": (
        "loss_said train 0",
        [(".detach())", ".detach() * loader.batch_size)"), says("return said.sum() / len(loader.dataset)")],
    ),
    "keeps one list for all calls": (
        "loss_said test 0",
        [(START, "    epoch_loss = globals().setdefault('kept', [])")],
    ),
    "raises": ("raises train 1", [(LOSS, "loss = criterion(pred, y.view(-1, 1, 1))")]),
    "an unknown name": ("raises train 0", [('args["device"]', "my_device")]),
    "exits": ("raises train 0", [(START, "    raise SystemExit(3)")]),
}


def _told(told: str, changes: Changes) -> tuple[str, str, int, Changes]:
    rule, mode, step = told.split()
    return rule, mode, int(step), changes


WRONG = {fault: _told(*each) for fault, each in _WRONG.items()}

NOTED: dict[str, tuple[str, Changes]] = {  # -> a word of the note, changes
    "backward in test too": (
        "with torch.no_grad()",
        [update("        optimizer.zero_grad()\n", BACK[4:], WHEN, STEP)],
    ),
    "a loss of its own": (
        "criterion is there",
        [(START, f"    criterion = torch.nn.CrossEntropyLoss()\n{START}")],
    ),
    "returns a tensor with a graph": (
        "loss.detach()",
        [(".cpu().detach()", ""), ("np.asarray(", "torch.stack(")],
    ),
    "sums losses with their graphs": (
        "loss.detach()",
        [
            ("epoch_loss.append(loss.cpu().detach())", "total = total + loss"),
            (START, "    total = 0"),
            ("    said = np.asarray(epoch_loss)", ""),
            says("return total.item() / len(loader)"),
        ],
    ),
    "no graph in test is needed": ("torch.no_grad()", []),
    "casts to float32": ("float32", [(PRED, "pred = net(x.float())")]),
}

WHY = {  # a part of the reason that is told
    "returns every batch's loss": "a list of each batch's loss",
    "returns an array of them": "a list of each batch's loss",
    "returns the median": "\nThat is the median of the batches' losses.\n",
    "returns the first": "\nThat is the loss of the first batch.\n",
    "returns the largest": "\nThat is the largest of the batches' losses.\n",
    "returns the sum": "sum of the batches' losses",
    "divides by the rows": "divided by the number of rows",
    "steps twice": "2 times",
    "sum instead of mean": "8 times",
    "an unknown name": "args",
    "leftovers of the test": "the call before this one was the test",
    "cut off": "no detach()",
    "counts the last batch as a whole one": "the last batch is shorter",
    "keeps one list for all calls": "anew in each call",
    "a device that nobody gave": 'args["device"]',
    "returns the accuracy first": "Return the loss first",
    "prints one decimal": "two decimals or more, as in: print(f'{np.mean(epoch_loss):.4f}')",
    "raises": "loss = criterion(pred, y.view(-1, 1, 1))",
    "has no end": "without an end",
}
