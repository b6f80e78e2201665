# expect: nothing
# needs: skorch
import numpy as np
import torch
from sklearn.datasets import make_friedman1
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor
from torch import nn

torch.manual_seed(0)


class MyRegressor(nn.Module):
    def __init__(self, num_units=32, nonlin=nn.ReLU()):
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
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)

target_scaler = StandardScaler().fit(y_train)
y_train_scaled = target_scaler.transform(y_train).astype(np.float32)

net = NeuralNetRegressor(
    MyRegressor,
    max_epochs=30,
    lr=3e-3,
    optimizer=torch.optim.Adam,
    batch_size=32,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
pipe = Pipeline([("scale", StandardScaler()), ("net", net)])
pipe.fit(X_train, y_train_scaled)

losses = pipe.named_steps["net"].history[:, "train_loss"]
print("train loss first %.4f last %.4f" % (losses[0], losses[-1]))
y_pred = target_scaler.inverse_transform(pipe.predict(X_test))
print("test R2 %.4f" % r2_score(y_test.ravel(), y_pred.ravel()))
print("test MAE %.4f" % np.abs(y_pred.ravel() - y_test.ravel()).mean())
