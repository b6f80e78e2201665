# needs: skorch
# expect: nothing
# looks suspicious: training stops by the library's own validation rows, the scaler's rows include them, and
# the best weights are put back.
"""A NeuralNetRegressor with a schedule, early stopping and a checkpoint of the best epoch."""

import tempfile

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor
from skorch.callbacks import Checkpoint, EarlyStopping, LRScheduler
from torch import nn

torch.manual_seed(4)
X, y = load_diabetes(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y.reshape(-1, 1), test_size=0.25, random_state=3)
x_scaler, y_scaler = StandardScaler(), StandardScaler()
X_train = x_scaler.fit_transform(X_train).astype(np.float32)
y_train = y_scaler.fit_transform(y_train).astype(np.float32)
X_test = x_scaler.transform(X_test).astype(np.float32)


class Regression(nn.Module):
    def __init__(self, units=24, dropout=0.2):
        super().__init__()
        self.hidden = nn.Linear(10, units)
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(units, 1)

    def forward(self, X):
        return self.out(self.drop(torch.relu(self.hidden(X))))


with tempfile.TemporaryDirectory() as folder:
    net = NeuralNetRegressor(
        Regression,
        module__units=32,
        optimizer=torch.optim.Adam,
        lr=0.01,
        batch_size=32,
        max_epochs=25,
        iterator_train__shuffle=True,
        callbacks=[
            LRScheduler(policy="StepLR", step_size=8, gamma=0.5),
            EarlyStopping(patience=8, load_best=False),
            Checkpoint(dirname=folder, monitor="valid_loss_best", load_best=True),
        ],
        verbose=0,
    )
    net.fit(X_train, y_train)
predicted = y_scaler.inverse_transform(net.predict(X_test))
print("epochs", len(net.history), "best", round(min(net.history[:, "valid_loss"]), 4))
print("r2", round(r2_score(y_test, predicted), 4))
