# expect: nothing
"""Regression with Monte-Carlo dropout: after training the dropout layers are kept alive to draw thirty predictions."""
import numpy as np
import torch
from torch import nn


def concrete_strength(n, seed):
    """Cement, slag, water, plasticiser, age -> strength, with a plausible formula."""
    rng = np.random.default_rng(seed)
    cement, slag = rng.uniform(150, 500, n), rng.uniform(0, 250, n)
    water, plasticiser = rng.uniform(140, 220, n), rng.uniform(0, 20, n)
    age = np.exp(rng.uniform(0, np.log(180), n))
    binder = (cement + 0.6 * slag) / water
    strength = 13 * binder * np.log1p(age) / 3 + 0.5 * plasticiser + rng.normal(0, 2.5, n)
    return np.stack([cement, slag, water, plasticiser, np.log(age)], 1), strength


class BayesianMLP(nn.Module):
    def __init__(self, n_in, width=64, p=0.08):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_in, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(p),
            nn.Linear(width, width), nn.ReLU(), nn.Dropout(p), nn.Linear(width, 1),
        )

    def forward(self, x):
        return self.layers(x).squeeze(1)


def enable_dropout(model):
    """Everything in evaluation mode but the dropout layers."""
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.train()


@torch.no_grad()
def mc_predict(model, x, draws=30):
    enable_dropout(model)
    samples = torch.stack([model(x) for _ in range(draws)])
    return samples.mean(0), samples.std(0)


@torch.no_grad()
def point_predict(model, x):
    model.eval()
    return model(x)


class Standardizer:
    def fit(self, a):
        self.mean, self.std = a.mean(0), a.std(0)
        return self

    def __call__(self, a):
        return torch.tensor((a - self.mean) / self.std, dtype=torch.float32)


torch.manual_seed(40)
X_train, y_train = concrete_strength(1200, seed=400)
X_test, y_test = concrete_strength(400, seed=401)
sx, sy = Standardizer().fit(X_train), Standardizer().fit(y_train)
x, y = sx(X_train), sy(y_train)

model = BayesianMLP(5)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.92)
for epoch in range(25):
    model.train()
    total = 0.0
    for idx in torch.randperm(len(x)).split(60):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x[idx]), y[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    scheduler.step()
    if epoch % 6 == 0:
        print(f"epoch {epoch:2d} mse {total / len(x):.4f}")

rmse = lambda p: (p - sy(y_test)).pow(2).mean().sqrt().item() * sy.std
mean, spread = mc_predict(model, sx(X_test))
print(f"point RMSE {rmse(point_predict(model, sx(X_test))):.2f} MPa, averaged over draws {rmse(mean):.2f} MPa")
error = (mean - sy(y_test)).abs()
sure = spread <= spread.median()
print(f"error where sure {error[sure].mean() * sy.std:.2f}, elsewhere {error[~sure].mean() * sy.std:.2f}")
