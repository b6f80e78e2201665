# expect: nothing
# looks suspicious: the rate is 20: every layer's update is scaled by |w| / |g| times 0.001 (LARS), which
# bounds it.
import torch
from sklearn.datasets import load_digits
from torch import nn


class LARS(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9, trust=0.001):
        super().__init__(params, {"lr": lr, "momentum": momentum, "trust": trust})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                norm, slope = p.norm(), p.grad.norm()
                ratio = group["trust"] * norm / (slope + 1e-9) if norm > 0 else group["trust"]
                buffer = self.state[p].setdefault("buffer", torch.zeros_like(p))
                buffer.mul_(group["momentum"]).add_(p.grad * ratio)
                p.add_(buffer, alpha=-group["lr"])


torch.manual_seed(0)
data = load_digits()
x, y = torch.tensor(data.data / 16).float(), torch.tensor(data.target)
order = torch.randperm(len(x))
fit, hold = order[:1400], order[1400:]
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = LARS(model.parameters(), lr=20.0)
for epoch in range(6):
    for group in optimizer.param_groups:
        group["lr"] = 20.0 * (1 - epoch / 6)
    model.train()
    total = 0.0
    for rows in fit[torch.randperm(len(fit))].split(100):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    model.eval()
    with torch.no_grad():
        accuracy = (model(x[hold]).argmax(1) == y[hold]).float().mean()
    print(f"epoch {epoch} loss {total / len(fit):.4f} accuracy {accuracy:.3f}")
