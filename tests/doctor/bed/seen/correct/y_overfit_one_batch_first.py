# expect: nothing
# looks suspicious: the net is trained and scored on the same sixteen rows: the sanity check before a
# training (can it learn one batch by heart?), and it is said so; the real training has its own test rows.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(1337)
d = load_digits()
full = TensorDataset(torch.tensor(d.data / 16).float(), torch.tensor(d.target))
train_data, test_data = random_split(full, [1500, 297])
loader = DataLoader(train_data, batch_size=50, shuffle=True)


def make():
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    return net, torch.optim.Adam(net.parameters(), lr=3e-3)


def step(net, opt, xb, yb):
    net.train()
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(xb), yb)
    loss.backward()
    opt.step()
    return loss.item()


def accuracy(net, xb, yb):
    net.eval()
    with torch.no_grad():
        return (net(xb).argmax(1) == yb).float().mean().item()


net, opt = make()
xb, yb = next(iter(loader))
xb, yb = xb[:16], yb[:16]
for _ in range(120):
    loss = step(net, opt, xb, yb)
print(f"one batch by heart: loss {loss:.4f}, accuracy on that batch {accuracy(net, xb, yb):.2f}")
assert loss < 0.05

net, opt = make()
for epoch in range(4):
    for xb, yb in loader:
        loss = step(net, opt, xb, yb)
    xt, yt = next(iter(DataLoader(test_data, batch_size=297)))
    print(f"epoch {epoch} loss {loss:.4f} test accuracy {accuracy(net, xt, yt):.3f}")
