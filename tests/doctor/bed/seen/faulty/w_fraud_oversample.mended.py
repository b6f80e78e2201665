# expect: nothing
"""Card payments with few frauds: the minority is oversampled with a little jitter, then a net is trained."""
import numpy as np
import torch
from sklearn.metrics import average_precision_score, recall_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def payments(n=1600, n_fraud=110, seed=40):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 20))
    y = np.zeros(n, dtype=np.int64)
    y[:n_fraud] = 1
    x[:n_fraud, :6] += 1.0
    x[:n_fraud, 6:9] *= 1.5
    order = rng.permutation(n)
    return x[order], y[order]


def oversample(x, y, factor, rng):
    """Copies of the frauds with a little jitter."""
    rare = np.flatnonzero(y == 1)
    extra = np.repeat(rare, factor - 1)
    noise = 0.05 * rng.normal(size=(len(extra), x.shape[1]))
    return np.concatenate([x, x[extra] + noise]), np.concatenate([y, y[extra]])


def stratified_parts(y, share, rng):
    test = np.zeros(len(y), dtype=bool)
    for c in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == c))
        test[rows[:int(round(share * len(rows)))]] = True
    return np.flatnonzero(~test), np.flatnonzero(test)


def prepare(rng):
    x, y = payments()
    train, test = stratified_parts(y, 0.3, rng)
    xtr, ytr, xte, yte = x[train], y[train], x[test], y[test]
    xtr, ytr = oversample(xtr, ytr, factor=8, rng=rng)
    mean, std = xtr.mean(axis=0), xtr.std(axis=0)
    scale = lambda a: torch.tensor((a - mean) / std, dtype=torch.float32)
    return scale(xtr), torch.tensor(ytr), scale(xte), yte


class FraudNet(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_in, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 1))

    def forward(self, x):
        return self.layers(x).squeeze(-1)


def main():
    torch.manual_seed(40)
    xtr, ytr, xte, yte = prepare(np.random.default_rng(41))
    print(f"{len(xtr)} training rows, {len(xte)} test rows, {yte.mean():.2%} frauds among these")
    loader = DataLoader(TensorDataset(xtr, ytr.float()), batch_size=64, shuffle=True)
    model = FraudNet(xtr.shape[1])
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    for epoch in range(1, 16):
        model.train()
        total = 0.0
        for x, y in loader:
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d}  loss {total / len(xtr):.4f}")

    model.eval()
    with torch.no_grad():
        p = torch.sigmoid(model(xte)).numpy()
    print(f"recall {recall_score(yte, p > 0.5):.3f}  average precision {average_precision_score(yte, p):.3f}")


if __name__ == "__main__":
    main()
