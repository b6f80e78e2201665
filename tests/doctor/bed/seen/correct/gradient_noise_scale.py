# expect: nothing
# looks suspicious: at each epoch's end gradients of several batches are computed and thrown away unstepped:
# they measure the gradient noise scale.
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(6)
raw, target = load_digits(return_X_y=True)
x, y = torch.tensor(raw / 16, dtype=torch.float32), torch.tensor(target)
model = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10))
opt = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)


def gradient(rows):
    opt.zero_grad()
    nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()])


def noise_scale(small=16, big=256, repeats=6):
    g_small = (
        torch.stack([gradient(torch.randint(1500, (small,))) for _ in range(repeats)]).square().sum(1).mean()
    )
    g_big = (
        torch.stack([gradient(torch.randint(1500, (big,))) for _ in range(repeats)]).square().sum(1).mean()
    )
    opt.zero_grad()
    signal = (big * g_big - small * g_small) / (big - small)
    noise = (g_small - g_big) / (1 / small - 1 / big)
    return (noise / signal).item()


for epoch in range(4):
    for rows in torch.randperm(1500).split(50):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f} noise scale {noise_scale():.1f} rows")
with torch.no_grad():
    print("test accuracy", (model(x[1500:]).argmax(1) == y[1500:]).float().mean().item())
