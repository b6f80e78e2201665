# expect: unscaled_inputs @ 49
# allowed: unscaled_inputs @ 53
# allowed: unscaled_inputs @ 75
# two heads on one trunk: cultivar (3 classes) and colour intensity (regression)
import torch
import torch.nn as nn
import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split


class Columns:
    """Keeps the training statistics of the columns so that every split is treated alike."""

    def __init__(self, table):
        self.mean = table.mean(axis=0)
        self.std = table.std(axis=0) + 1e-8

    def z(self, table):
        return (table - self.mean) / self.std


class WineNet(nn.Module):
    def __init__(self, n_features, width=24):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(n_features, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
        self.cultivar = nn.Linear(width, 3)
        self.colour = nn.Linear(width, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.cultivar(h), self.colour(h).squeeze(-1)

    def losses(self, x, cls, col):
        logits, value = self(x)
        return nn.functional.cross_entropy(logits, cls), nn.functional.mse_loss(value, col)


def get_tensors():
    bunch = load_wine()
    col_id = bunch.feature_names.index("color_intensity")
    colour = bunch.data[:, col_id]
    feats = np.delete(bunch.data, col_id, axis=1)
    parts = train_test_split(feats, colour, bunch.target, test_size=0.3, random_state=8, stratify=bunch.target)
    f_tr, f_te, c_tr, c_te, k_tr, k_te = parts
    c_stat = Columns(c_tr[:, None])

    def bundle(f, c, k):
        return (torch.tensor(f, dtype=torch.float32),
                torch.tensor(k, dtype=torch.long),
                torch.tensor(c_stat.z(c[:, None])[:, 0], dtype=torch.float32))

    return bundle(f_tr, c_tr, k_tr), bundle(f_te, c_te, k_te)


def batches(tensors, size, gen):
    order = torch.randperm(len(tensors[0]), generator=gen)
    for idx in order.split(size):
        yield [t[idx] for t in tensors]


def evaluate(net, tensors):
    net.eval()
    with torch.no_grad():
        logits, value = net(tensors[0])
        acc = (logits.argmax(1) == tensors[1]).float().mean().item()
        r2 = 1 - ((value - tensors[2]) ** 2).mean() / tensors[2].var(unbiased=False)
    return acc, r2.item()


def fit(epochs=40):
    torch.manual_seed(2)
    gen = torch.Generator().manual_seed(2)
    train, test = get_tensors()
    net = WineNet(train[0].shape[1])
    log_var = nn.Parameter(torch.zeros(2))      # learned weighting of the two tasks
    opt = torch.optim.Adam([
        {"params": net.parameters(), "lr": 3e-3},
        {"params": [log_var], "lr": 1e-2},
    ])
    for epoch in range(epochs):
        net.train()
        seen = []
        for x, cls, col in batches(train, 16, gen):
            both = torch.stack(net.losses(x, cls, col))
            loss = (torch.exp(-log_var) * both + log_var).sum()
            opt.zero_grad()
            loss.backward()
            opt.step()
            seen.append(both.detach())
        if (epoch + 1) % 10 == 0:
            ce, mse = torch.stack(seen).mean(0).tolist()
            print(f"epoch {epoch + 1:3d}   ce {ce:.3f}   mse {mse:.3f}")
    acc, r2 = evaluate(net, test)
    print(f"test accuracy {acc:.3f}   test R2 {r2:.3f}")


if __name__ == "__main__":
    fit()
