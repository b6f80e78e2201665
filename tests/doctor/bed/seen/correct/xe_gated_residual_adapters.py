# expect: nothing
"""Deep residual tanh net whose branches start shut: gates and last layers begin at zero.

The random projection in front stays as drawn; the temperature is picked on a grid after training.
"""
import torch
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional as F

torch.manual_seed(5)


class Branch(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, width)
        self.down = nn.Linear(width, width)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def forward(self, h):
        return h + self.down(torch.tanh(self.up(self.norm(h))))


class GatedNet(nn.Module):
    def __init__(self, width=32, depth=8):
        super().__init__()
        self.lift = nn.Linear(2, width)
        self.lift.requires_grad_(False)
        self.branches = nn.ModuleList(Branch(width) for _ in range(depth))
        self.out = nn.Linear(width, 2)
        self.temperature = nn.Parameter(torch.ones(()), requires_grad=False)

    def forward(self, x):
        h = self.lift(x)
        for branch in self.branches:
            h = branch(h)
        return F.log_softmax(self.out(h) / self.temperature, dim=1)


def split(seed=5):
    X, y = make_moons(1600, noise=0.2, random_state=seed)
    X_fit, X_rest, y_fit, y_rest = train_test_split(X, y, test_size=0.5, stratify=y, random_state=seed)
    X_cal, X_test, y_cal, y_test = train_test_split(X_rest, y_rest, test_size=0.5, stratify=y_rest, random_state=seed)
    mean, std = X_fit.mean(0), X_fit.std(0)
    return [
        (torch.tensor((a - mean) / std, dtype=torch.float32), torch.tensor(b))
        for a, b in ((X_fit, y_fit), (X_cal, y_cal), (X_test, y_test))
    ]


fit, cal, test = split()
net = GatedNet()
trainable = [p for p in net.parameters() if p.requires_grad]
opt = torch.optim.AdamW(trainable, lr=2e-3)
for epoch in range(15):
    net.train()
    total = 0.0
    for pick in torch.randperm(len(fit[0])).split(40):
        opt.zero_grad()
        loss = F.nll_loss(net(fit[0][pick]), fit[1][pick])
        loss.backward()
        opt.step()
        total += loss.item() * len(pick)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1:2d}  nll {total / len(fit[0]):.4f}")

net.eval()
with torch.no_grad():
    grid = torch.linspace(0.5, 3.0, 51)
    losses = []
    for t in grid:
        net.temperature.copy_(t)
        losses.append(F.nll_loss(net(cal[0]), cal[1]).item())
    net.temperature.copy_(grid[min(range(len(losses)), key=losses.__getitem__)])
    log_p = net(test[0])
    acc = (log_p.argmax(1) == test[1]).float().mean().item()
print(f"temperature {net.temperature.item():.2f}")
print(f"test nll {F.nll_loss(log_p, test[1]).item():.4f}  acc {acc:.3f}")
