# expect: nothing
# needs: skorch
import numpy as np
import torch
from torch import nn
from skorch import NeuralNetRegressor
from skorch.callbacks import LRScheduler
from sklearn.datasets import make_friedman1
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(0)
np.random.seed(0)


class RegressorModule(nn.Module):
    def __init__(self, num_units=64, nonlin=nn.ReLU()):
        super().__init__()
        self.dense0 = nn.Linear(10, num_units)
        self.nonlin = nonlin
        self.dense1 = nn.Linear(num_units, num_units)
        self.output = nn.Linear(num_units, 1)

    def forward(self, X):
        X = self.nonlin(self.dense0(X))
        X = self.nonlin(self.dense1(X))
        return self.output(X)


X, y = make_friedman1(n_samples=1200, noise=0.5, random_state=0)
X, y = X.astype(np.float32), y.astype(np.float32).reshape(-1, 1)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
sx, sy = StandardScaler().fit(X_train), StandardScaler().fit(y_train)

net = NeuralNetRegressor(
    RegressorModule,
    optimizer=torch.optim.Adam,
    lr=5e-3,
    max_epochs=15,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    callbacks=[("schedule", LRScheduler(policy="StepLR", step_size=8, gamma=0.4))],
    verbose=0,
)
net.fit(sx.transform(X_train), sy.transform(y_train))
for row in net.history[::4]:
    print("epoch", row["epoch"], "train_loss", round(row["train_loss"], 4))

pred = sy.inverse_transform(net.predict(sx.transform(X_test)))
print("MAE", round(float(mean_absolute_error(y_test, pred)), 3), "R2", round(float(r2_score(y_test, pred)), 3))
