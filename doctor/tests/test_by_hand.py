"""Nets of modules that something of one's own trains: no optimizer of torch says what a step is."""

import pytest

from zygote import told

OWN = """
class Momentum:
    def __init__(self, params, lr):
        self.params = list(params)
        self.lr, self.pace = lr, [torch.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        for p, v in zip(self.params, self.pace):
            if p.grad is not None:
                v.mul_(0.9).add_(p.grad)
                p.sub_(v, alpha=self.lr)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.2))
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        h = {hidden}
        return self.head(h)

def right(net, x, y):
    {mode}
    with {quiet}:
        said = net(x)  # {said}
        return (said.argmax(1) == y).float().mean().item()

net = Net()
optimizer = Momentum({given}, lr={rate})  # {made}
for epoch in range(12):
    net.train()
    for rows in torch.randperm(180).split(30):
        loss = F.cross_entropy(net(x[rows]), y[rows])
        {clear}
        loss.backward()  # {backward}
        optimizer.step()
    print(right(net, x[180:], y[180:]))
"""
USUAL = {"hidden": "self.body(x)", "mode": "net.eval()", "quiet": "torch.no_grad()", "rate": 0.05}
USUAL |= {"given": "net.parameters()", "clear": "optimizer.zero_grad()"}
USUAL |= dict.fromkeys(("said", "made", "backward"), "")


def own(**parts):
    return OWN.format(**USUAL | parts)


SCHEDULED = """
class Plain:
    def __init__(self, tensors, rate):
        self.tensors, self.rate = tensors, rate

    @torch.no_grad()
    def move(self, slopes):
        for t, g in zip(self.tensors, slopes):
            t.add_(g, alpha=-self.rate)

w = [torch.randn(8, 16).mul(0.3), torch.zeros(16), torch.randn(16, 3).mul(0.3), torch.zeros(3)]
for p in w:
    p.requires_grad_()
mover = Plain(w, rate={rate})  # here
for epoch in range(15):
    for rows in torch.randperm(180).split(30):
        z = torch.tanh(x[rows] @ w[0] + w[1]) @ w[2] + w[3]
        mover.move(torch.autograd.grad(F.cross_entropy(z, y[rows]), w))
with torch.no_grad():
    print(F.cross_entropy(torch.tanh(x[180:] @ w[0] + w[1]) @ w[2] + w[3], y[180:]).item())
"""
HEAD = "net.head.parameters()"
CASES = {
    "never cleared": ("missing_zero_grad", own(clear="pass", backward="here")),
    "cut off": ("detached_graph", own(hidden="self.body(x).detach()  # here")),
    "left in training mode": ("missing_eval", own(mode="pass", said="here")),
    "with a graph": ("missing_no_grad", own(quiet="torch.enable_grad()", said="here")),
    "too slow": ("lr_too_low", own(rate=1e-8, made="here")),
    "torn by its steps": ("lr_too_high", SCHEDULED.format(rate=400.0)),
    "asked for all": ("", SCHEDULED.format(rate=0.3)),
    "all as it should be": ("", own()),
    "only the last part": ("", own(given=HEAD)),
    "the last part of fixed features": ("", own(given=HEAD, hidden="self.body(x).detach()")),
}


@pytest.mark.parametrize(("rule", "text"), CASES.values(), ids=CASES)
def test_a_training_of_ones_own_is_judged_as_an_optimizer_s(rule, text, tmp_path):
    assert told(text, tmp_path) == rule
