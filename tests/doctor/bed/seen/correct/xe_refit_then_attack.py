# expect: nothing
"""Choose the width on a validation part, refit on train + validation, then test once:
clean, averaged over shifted copies, and under a small gradient attack."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset

SEED = 31
WIDTHS = (16, 64)


def fit_scaler(dataset):
    scaler = StandardScaler()
    for x, _ in DataLoader(dataset, batch_size=200):
        scaler.partial_fit(x.numpy())
    mean = torch.tensor(scaler.mean_, dtype=torch.float32)
    scale = torch.tensor(scaler.scale_, dtype=torch.float32)
    return mean, scale


class Scaled(nn.Module):
    def __init__(self, mean, scale, width):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.body = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))

    def forward(self, x):
        return self.body(((x - self.mean) / self.scale).clamp(-4, 4))


def train(dataset, width, epochs=8):
    torch.manual_seed(SEED)
    net = Scaled(*fit_scaler(dataset), width)
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    loss_fn = nn.CrossEntropyLoss()
    net.train()
    for _ in range(epochs):
        for x, y in DataLoader(dataset, batch_size=32, shuffle=True):
            opt.zero_grad()
            loss = loss_fn(net(x), y)
            loss.backward()
            opt.step()
    return net.eval()


@torch.no_grad()
def accuracy(net, x, y):
    return (net(x).argmax(1) == y).float().mean().item()


@torch.no_grad()
def accuracy_over_shifts(net, x, y):
    pictures = x.view(-1, 8, 8)
    votes = torch.zeros(len(x), 10)
    for shift, weight in ((0, 0.8), (-1, 0.1), (1, 0.1)):
        votes += weight * net(torch.roll(pictures, shift, dims=2).flatten(1)).softmax(dim=1)
    return (votes.argmax(1) == y).float().mean().item()


def attacked(net, x, y, eps):
    x = x.clone().requires_grad_(True)
    loss = nn.functional.cross_entropy(net(x), y, reduction="sum")
    (slope,) = torch.autograd.grad(loss, x)
    return (x.detach() + eps * slope.sign()).clamp(0, 16)


def main():
    X, y = load_digits(return_X_y=True)
    X_dev, X_test, y_dev, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=SEED)
    X_tr, X_va, y_tr, y_va = train_test_split(X_dev, y_dev, test_size=0.25, stratify=y_dev, random_state=SEED)
    tr, va, te = (
        TensorDataset(torch.tensor(a, dtype=torch.float32), torch.tensor(b))
        for a, b in ((X_tr, y_tr), (X_va, y_va), (X_test, y_test))
    )
    scores = {w: accuracy(train(tr, w), *va.tensors) for w in WIDTHS}
    best = max(scores, key=scores.get)
    print("validation", {w: round(s, 3) for w, s in scores.items()}, "-> width", best)

    final = train(ConcatDataset([tr, va]), best)
    x, t = te.tensors
    print(f"test clean    {accuracy(final, x, t):.3f}")
    print(f"test shifted  {accuracy_over_shifts(final, x, t):.3f}")
    print(f"test attacked {accuracy(final, attacked(final, x, t, eps=1.0), t):.3f}")


main()
