# needs: skorch
# expect: nothing
# looks suspicious: rows are read in order and never shuffled (a series), the rate is changed by hand between
# two fits, weights of rows enter the loss, and the whole table is predicted at the end.
"""Three columns at once by NeuralNetRegressor, rows weighted, the past to learn and the future to judge."""

import numpy as np
import torch
from sklearn.metrics import r2_score
from skorch import NeuralNetRegressor
from torch import nn

rng = np.random.default_rng(0)
t = np.arange(900)
signal = np.stack([np.sin(t / 9), np.cos(t / 14), np.sin(t / 23)], 1) + 0.1 * rng.normal(size=(900, 3))
X = np.concatenate([signal[k : k + 880] for k in range(12)], axis=1).astype(np.float32)
Y = signal[13:893].astype(np.float32)
weights = np.linspace(0.5, 1.5, len(X)).astype(np.float32)


class Weighted(NeuralNetRegressor):
    def get_loss(self, y_pred, y_true, X=None, *args, **kwargs):
        losses = super().get_loss(y_pred, y_true, X, *args, **kwargs)
        return (X["weight"].unsqueeze(1) * losses).mean()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(36, 48), nn.Tanh(), nn.Linear(48, 3))

    def forward(self, rows, weight=None):
        return self.layers(rows)


torch.manual_seed(0)
cut = 700
net = Weighted(
    Net,
    criterion=nn.MSELoss,
    criterion__reduction="none",
    optimizer=torch.optim.Adam,
    lr=3e-3,
    batch_size=50,
    max_epochs=12,
    train_split=None,
    warm_start=True,
    verbose=0,
)
past = {"rows": X[:cut], "weight": weights[:cut]}
net.fit(past, Y[:cut])
net.set_params(lr=5e-4, max_epochs=6)
net.fit(past, Y[:cut])
print("train losses", [round(v, 4) for v in net.history[::6, "train_loss"]])
predicted = net.predict({"rows": X, "weight": weights})
print("future r2", round(r2_score(Y[cut + 12 :], predicted[cut + 12 :]), 3))
