# expect: target_broadcast @ 33
# allowed: target_broadcast @ 18
# allowed: target_broadcast @ 24
"""Regression on the diabetes table with a validation curve at the end."""
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset


def load(seed=0):
    X, y = load_diabetes(return_X_y=True)
    Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.25, random_state=seed)
    sx, sy = StandardScaler().fit(Xa), StandardScaler().fit(ya[:, None])
    as_t = lambda a: torch.tensor(a, dtype=torch.float32)
    ya, yb = sy.transform(ya[:, None])[:, 0], sy.transform(yb[:, None])[:, 0]
    return TensorDataset(as_t(sx.transform(Xa)), as_t(ya)), TensorDataset(as_t(sx.transform(Xb)), as_t(yb))


class Regressor:
    def __init__(self, lr=3e-3):
        self.net = nn.Sequential(nn.Linear(10, 24), nn.ReLU(), nn.Dropout(0.1), nn.Linear(24, 1))
        self.loss_fn = nn.MSELoss()
        self.opt = torch.optim.Adam(self.net.parameters(), lr=lr, weight_decay=1e-4)

    def _epoch(self, loader, training):
        self.net.train(training)
        total, n = 0.0, 0
        with torch.set_grad_enabled(training):
            for xb, yb in loader:
                loss = self.loss_fn(self.net(xb), yb)
                if training:
                    self.opt.zero_grad()
                    loss.backward()
                    self.opt.step()
                total += loss.item() * len(xb)
                n += len(xb)
        return total / n

    def fit(self, train, epochs):
        for e in range(epochs):
            tl = self._epoch(train, True)
            if e % 10 == 9:
                print(f"[{e + 1}] train {tl:.3f}")

    def r2(self, ds):
        self.net.eval()
        x, y = ds.tensors
        with torch.inference_mode():
            p = self.net(x).flatten()
        y = y.flatten()
        return 1 - ((y - p) ** 2).sum().item() / ((y - y.mean()) ** 2).sum().item()


if __name__ == "__main__":
    torch.manual_seed(0)
    train_ds, val_ds = load()
    reg = Regressor()
    reg.fit(DataLoader(train_ds, batch_size=32, shuffle=True), 40)
    print("validation R2", round(reg.r2(val_ds), 3))
