"""What a net says is known again however it is handed on: as a column, joined, in other units, as shares."""

import pytest

from zygote import told

CLASSIFIER = """
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))
{held}
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(4):
    net.train()
    10 STEPS: {loss}(net(x[:180]), y[:180])
    {mode}
    with torch.no_grad():
        {said}
"""
COLUMN = """
w = torch.zeros(8, 3, requires_grad=True)
for step in range(60):
    loss = F.cross_entropy(x[:180] @ w, y[:180])
    loss.backward()
    with torch.no_grad():
        w -= 0.5 * w.grad
        w.grad = None
with torch.no_grad():
    print(({best} == y[180:]).float().mean().item())  # here
"""
ARRAY = """
net = nn.Linear(8, 3)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
60 STEPS: F.cross_entropy(net(x[:180]), y[:180])
truth = y[180:].numpy()
with torch.no_grad():
    said = net(x[180:])
    best = torch.argmax(said, {dims}).cpu().numpy()
    print((best == truth).mean())  # here
"""
FIELDS = """
from dataclasses import dataclass
@dataclass
class Output:
    loss: torch.Tensor
    logits: torch.Tensor
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(8, 16), nn.Linear(16, 3)
    def forward(self, features, labels):
        logits = self.last(F.dropout(self.first(features).relu(), 0.3, self.training))
        return Output(F.cross_entropy(logits, labels), logits)
x_train, x_test, y_train, y_test = x[:180], x[{start}:], y[:180], y[{start}:]  # {split}
net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(4):
    net.train()
    for rows in torch.randperm(180).split(20):
        STEP: net(features=x_train[rows], labels=y_train[rows]).loss
    {mode}
    with torch.no_grad():
        said = net(features=x_test, labels=y_test)  # {call}
        print((said.logits.argmax(1) == y_test).float().mean().item())
"""
UNITS = """
bikes = 120 * x[:, :1] + 400 + torch.randn(240, 1)
mean, spread = bikes[:180].mean(), bikes[:180].std()
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
60 STEPS: F.mse_loss(net(x[:180]), (bikes[:180] - mean) / spread)
with torch.no_grad():
    said = net(x[180:]) * spread + mean
    print((said - {true}).abs().mean().item())  # here
"""
JOINED = """
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(40):
    one, other = net(x[:180] + 0.1 * torch.randn(180, 8)), net(x[:180])
    STEP: F.cross_entropy(one @ other.T, torch.arange(180))

{before}
def features(rows):
    net.eval()
    return torch.cat([net(part) for part in rows.split(20)])  # here

known, asked = features(x[:180]), features(x[180:])
near = torch.cdist(asked, known).argmin(1)
means = torch.stack([known[y[:180] == k].mean(0) for k in range(3)])
print(((asked @ means.T).argmax(1) == y[180:]).float().mean().item())
"""
AT_END = """
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
40 STEPS: F.cross_entropy(net(x[:180]), y[:180])
net.eval()
said = {said}  # here
print((said.argmax(1) == y[180:]).float().mean().item())
"""
SKIPPED = """
import random
random.seed(0)

def trained(seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam({given}, lr=0.01)  # here
    30 STEPS: F.cross_entropy(net(x[:180]), y[:180])
    net.eval()
    with torch.no_grad():
        return (net(x[180:]).argmax(1) == y[180:]).float().mean().item()

print([trained(seed) for seed in range(3)])
"""
SHARES = "print((F.softmax(net(x[180:]), 1).detach().numpy().argmax(1) == y[180:].numpy()).mean())  # here"
LOGS = "print((torch.exp(net(x[180:])).topk(1)[1][:, 0] == y[180:]).float().mean().item())  # here"
LAYER = "print((nn.Softmax(dim=1)(net(x[180:])).argmax(1) == y[180:]).float().mean().item())  # here"
SORTED = "print((net(x[180:]).sort(1, descending=True)[1][:, 0] == y[180:]).float().mean().item())  # here"
BEST = "print((net(x[180:]).argmax(1) == y[180:]).float().mean().item())  # here"
SCRIPTED, TRACED = "net = torch.jit.script(net)", "net = torch.jit.trace(net, x[:4], check_trace=False)"
OWN_NLL = "(lambda out, true: F.nll_loss(out.log_softmax(1), true))"
EVAL = "net.eval()"


def classifier(said: str, mode: str = "pass", loss: str = "F.cross_entropy", held: str = "") -> str:
    return CLASSIFIER.format(said=said, mode=mode, loss=loss, held=held)


FOUND = {
    "shares as an array": ("missing_eval", classifier(SHARES)),
    "exp of what was said": ("missing_eval", classifier(LOGS, loss=OWN_NLL)),
    "shares by a layer": ("missing_eval", classifier(LAYER)),
    "the first of all in order": ("missing_eval", classifier(SORTED)),
    "held by TorchScript": ("missing_eval", classifier(BEST, held=SCRIPTED)),
    "traced": ("missing_eval", classifier(BEST, held=TRACED)),
    "the best one": ("metric_wrong_axis", COLUMN.format(best="(x[180:] @ w).topk(1).indices")),
    "the best as an array": ("metric_wrong_axis", ARRAY.format(dims="1, keepdim=True")),
    "a field of an object": ("missing_eval", FIELDS.format(start=180, mode="pass", call="here", split="")),
    "rows by name": ("test_in_train", FIELDS.format(start=120, mode="net.eval()", call="", split="here")),
    "a column in other units": ("metric_wrong_axis", UNITS.format(true="bikes[180:, 0]")),
    "features with their graphs": ("missing_no_grad", JOINED.format(before="")),
    "one figure at the end": ("missing_no_grad", AT_END.format(said="net(x[180:])")),
    "the first layer is left out": (
        "params_not_in_optimizer",
        SKIPPED.format(given="list(net.parameters())[2:]"),
    ),
}
RIGHT = {
    "shares as an array": classifier(SHARES, EVAL),
    "exp of what was said": classifier(LOGS, EVAL, OWN_NLL),
    "shares by a layer": classifier(LAYER, EVAL),
    "the first of all in order": classifier(SORTED, EVAL),
    "held by TorchScript": classifier(BEST, EVAL, held=SCRIPTED),
    "traced": classifier(BEST, EVAL, held=TRACED),
    "the best as a row": COLUMN.format(best="(x[180:] @ w).argmax(1)"),
    "some rows of a row": COLUMN.format(best="(x @ w).argmax(1)[torch.arange(240) >= 180]"),
    "a column made a row": COLUMN.format(best="(x[180:] @ w).argmax(1, keepdim=True)[:, 0]"),
    "the best as an array": ARRAY.format(dims="1"),
    "fields of an object": FIELDS.format(start=180, mode="net.eval()", call="", split=""),
    "two columns in other units": UNITS.format(true="bikes[180:]"),
    "features without graphs": JOINED.format(before="@torch.no_grad()"),
    "one figure at the end, let go": AT_END.format(said="net(x[180:]).detach()"),
    "all layers": SKIPPED.format(given="net.parameters()"),
}


CASES = {**FOUND, **{f"{case}, right": ("", text) for case, text in RIGHT.items()}}


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("rule", "text"), CASES.values(), ids=CASES)
def test_answers_are_known_again_however_they_are_handed_on(rule, text, tmp_path):
    assert told(text, tmp_path, near=1) == rule
