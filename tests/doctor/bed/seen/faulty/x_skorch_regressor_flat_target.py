# needs: skorch
# expect: target_broadcast @ 34
"""Regression with skorch; the target comes from scikit-learn as it is, in one dimension."""

import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor
from torch import nn

torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train).astype("float32"), scaler.transform(X_test).astype("float32")
y_mean, y_std = y_train.mean(), y_train.std()


class RegressorModule(nn.Module):
    def __init__(self, num_units=16):
        super().__init__()
        self.dense0 = nn.Linear(10, num_units)
        self.output = nn.Linear(num_units, 1)

    def forward(self, X):
        return self.output(torch.relu(self.dense0(X)))


net_regr = NeuralNetRegressor(
    RegressorModule, max_epochs=20, lr=0.05, iterator_train__shuffle=True, verbose=0
)
y_scaled = ((y_train - y_mean) / y_std).astype("float32")
net_regr.fit(X_train, y_scaled)
for row in net_regr.history[::6]:
    print(f"epoch {row['epoch']} train {row['train_loss']:.4f} valid {row['valid_loss']:.4f}")
residual = net_regr.predict(X_test).ravel() * y_std + y_mean - y_test
print(f"test rmse {(residual**2).mean() ** 0.5:.2f} (spread of the target {y_test.std():.2f})")
