# expect: nothing
# looks suspicious: weight decay of 0.5: there are more columns than rows and the strength was chosen on
# validation rows among five candidates; the test rows are used once.
import torch
from torch import nn

torch.manual_seed(0)
n, d = 120, 150
w = torch.randn(d) / d**0.5
x = torch.randn(n + 400, d)
y = x @ w + 0.5 * torch.randn(n + 400)
fit, val, test = slice(0, n), slice(n, n + 200), slice(n + 200, None)


def train(weight_decay):
    torch.manual_seed(1)
    model = nn.Linear(d, 1)
    opt = torch.optim.SGD(
        [
            {"params": [model.weight], "weight_decay": weight_decay},
            {"params": [model.bias], "weight_decay": 0.0},
        ],
        lr=0.05,
    )
    for _ in range(120):
        opt.zero_grad()
        loss = (model(x[fit]).squeeze(1) - y[fit]).square().mean()
        loss.backward()
        opt.step()
    return model, loss.item()


@torch.no_grad()
def mse(model, part):
    return (model(x[part]).squeeze(1) - y[part]).square().mean().item()


trials = {}
for decay in (0.0, 0.05, 0.2, 0.5, 2.0):
    model, loss = train(decay)
    trials[decay] = mse(model, val), model
    print(f"decay {decay}: train {loss:.4f} val {trials[decay][0]:.4f}")
best = min(trials, key=lambda k: trials[k][0])
print(f"chosen {best}, test {mse(trials[best][1], test):.4f}")
