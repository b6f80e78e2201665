# expect: nothing
# looks suspicious: a module is trained and no torch.optim object exists: momentum is written by hand and
# every gradient is dropped after use.
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(11)
digits = load_digits()
x = torch.tensor(digits.data / 16, dtype=torch.float32)
y = torch.tensor(digits.target)
perm = torch.randperm(len(y))
train, held_out = perm[:1400], perm[1400:]

net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
velocity = {name: torch.zeros_like(p) for name, p in net.named_parameters()}


@torch.no_grad()
def sgd_update(lr, mu):
    for name, p in net.named_parameters():
        velocity[name].mul_(mu).add_(p.grad)
        p.add_(velocity[name], alpha=-lr)
        p.grad = None


@torch.no_grad()
def accuracy(rows):
    return (net(x[rows]).argmax(-1) == y[rows]).float().mean().item()


for epoch in range(5):
    for rows in train[torch.randperm(len(train))].split(50):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        sgd_update(lr=0.1, mu=0.9)
    print(f"{epoch} loss {loss.item():.4f} train {accuracy(train):.3f}")
print(f"held out {accuracy(held_out):.3f}")
