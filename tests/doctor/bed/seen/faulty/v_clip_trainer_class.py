# expect: clip_too_small @ 20
"""Tabular regression with a small Trainer class that clips the gradient norm."""
import torch
from torch import nn
from sklearn.datasets import make_friedman1
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset


class Trainer:
    def __init__(self, model, lr=0.05):
        self.model = model
        self.opt = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
        self.loss_fn = nn.MSELoss()

    def _update(self, loss):
        self.opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 5e-4)
        self.opt.step()

    def fit(self, loader, epochs):
        for epoch in range(epochs):
            self.model.train()
            total = 0.0
            for xb, yb in loader:
                loss = self.loss_fn(self.model(xb), yb)
                self._update(loss)
                total += loss.item() * len(xb)
            if epoch % 5 == 4:
                print(f"epoch {epoch + 1:2d} train mse {total / len(loader.dataset):.4f}")

    @torch.no_grad()
    def score(self, x, y):
        self.model.eval()
        err = self.loss_fn(self.model(x), y)
        return (1 - err / y.var()).item()


def main():
    torch.manual_seed(3)
    x, y = make_friedman1(n_samples=1200, noise=0.5, random_state=3)
    x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.25, random_state=3)
    sx, sy = StandardScaler().fit(x_tr), StandardScaler().fit(y_tr[:, None])
    as_t = lambda a: torch.tensor(a, dtype=torch.float32)
    train = TensorDataset(as_t(sx.transform(x_tr)), as_t(sy.transform(y_tr[:, None])))
    loader = DataLoader(train, batch_size=64, shuffle=True)
    net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
    trainer = Trainer(net)
    trainer.fit(loader, 20)
    print("test R2", round(trainer.score(as_t(sx.transform(x_te)), as_t(sy.transform(y_te[:, None]))), 3))


if __name__ == "__main__":
    main()
