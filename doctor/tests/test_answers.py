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
AT_END = """
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
answers = lambda rows: net(rows)
40 STEPS: F.cross_entropy(answers(x[:180]), y[:180])
net.eval()
print(({said}.argmax(1) == y[180:]).float().mean().item())  # here
"""
SHARES = "print((F.softmax(net(x[180:]), 1).detach().numpy().argmax(1) == y[180:].numpy()).mean())  # here"
LOGS = "print((torch.exp(net(x[180:])).topk(1)[1][:, 0] == y[180:]).float().mean().item())  # here"
LAYER = "print((nn.Softmax(dim=1)(net(x[180:])).argmax(1) == y[180:]).float().mean().item())  # here"
BEST = "print((net(x[180:]).argmax(1) == y[180:]).float().mean().item())  # here"
SCRIPTED, TRACED = "net = torch.jit.script(net)", "net = torch.jit.trace(net, x[:4], check_trace=False)"
OWN_NLL = "(lambda out, true: F.nll_loss(out.log_softmax(1), true))"


def classifier(said: str, mode: str = "pass", loss: str = "F.cross_entropy", held: str = "") -> str:
    return CLASSIFIER.format(said=said, mode=mode, loss=loss, held=held)


FOUND = {
    "shares as an array": ("missing_eval", classifier(SHARES)),
    "exp of what was said": ("missing_eval", classifier(LOGS, loss=OWN_NLL)),
    "shares by a layer": ("missing_eval", classifier(LAYER)),
    "held by TorchScript": ("missing_eval", classifier(BEST, held=SCRIPTED)),
    "traced": ("missing_eval", classifier(BEST, held=TRACED)),
    "the best one": ("metric_wrong_axis", COLUMN.format(best="(x[180:] @ w).topk(1).indices")),
    "the best as an array": ("metric_wrong_axis", ARRAY.format(dims="1, keepdim=True")),
    "a field of an object": ("missing_eval", FIELDS.format(start=180, mode="pass", call="here", split="")),
    "rows by name": ("test_in_train", FIELDS.format(start=120, mode="net.eval()", call="", split="here")),
    "one figure at the end": ("missing_no_grad", AT_END.format(said="answers(x[180:])")),
    "one figure at the end, cut": ("missing_no_grad", AT_END.format(said="answers(x[180:]).detach()")),
}
RIGHT = {
    "shares as an array": classifier(SHARES, "net.eval()"),
    "exp of what was said": classifier(LOGS, "net.eval()", OWN_NLL),
    "shares by a layer": classifier(LAYER, "net.eval()"),
    "held by TorchScript": classifier(BEST, "net.eval()", held=SCRIPTED),
    "traced": classifier(BEST, "net.eval()", held=TRACED),
    "the best as a row": COLUMN.format(best="(x[180:] @ w).argmax(1)"),
    "the best as an array": ARRAY.format(dims="1"),
    "fields of an object": FIELDS.format(start=180, mode="net.eval()", call="", split=""),
}

CASES = {**FOUND, **{f"{case}, right": ("", text) for case, text in RIGHT.items()}}


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("rule", "text"), CASES.values(), ids=CASES)
def test_answers_are_known_again_however_they_are_handed_on(rule, text, tmp_path):
    assert told(text, tmp_path, near=1) == rule
