# needs: skorch
# expect: nothing
# looks suspicious: get_loss is overridden, with a penalty on the weights; there is no validation at all.
"""A subclass of NeuralNetClassifier with an L1 penalty in get_loss, train_split=None, history at the end."""

import numpy as np
import torch
from sklearn.datasets import make_moons
from sklearn.model_selection import cross_val_predict
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import nn
from torch.nn import functional as F


class Regularised(NeuralNetClassifier):
    def __init__(self, *args, lambda1=1e-3, **kwargs):
        super().__init__(*args, **kwargs)
        self.lambda1 = lambda1

    def get_loss(self, y_pred, y_true, X=None, training=False):
        loss = F.cross_entropy(y_pred, y_true.long())
        if training:
            loss = loss + self.lambda1 * sum(p.abs().sum() for p in self.module_.parameters())
        return loss


class Smoothed(Callback):
    """Remembers an average of the training loss, as a figure only."""

    def on_train_begin(self, net, **kwargs):
        self.average_ = None

    def on_batch_end(self, net, training=False, loss=None, **kwargs):
        if training:
            value = loss.item()
            self.average_ = value if self.average_ is None else 0.9 * self.average_ + 0.1 * value


class Two(nn.Module):
    def __init__(self, units=20):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(2, units), nn.Linear(units, units), nn.Linear(units, 2)

    def forward(self, X, **_):
        return self.c(F.relu(self.b(F.relu(self.a(X)))))


np.random.seed(0)
torch.manual_seed(0)
X, y = make_moons(400, noise=0.2, random_state=0)
X = X.astype(np.float32)
smoothed = Smoothed()
net = Regularised(
    Two, optimizer=torch.optim.Adam, lr=0.01, max_epochs=15, batch_size=32, train_split=None,
    iterator_train__shuffle=True, callbacks=[smoothed], verbose=0,
)  # fmt: skip
net.fit(X, y)
print("train losses", [round(v, 3) for v in net.history[::5, "train_loss"]])
print("smoothed", round(net.callbacks[0].average_, 3))
predicted = cross_val_predict(net, X, y, cv=3)
print("accuracy in 3 folds", round(float((predicted == y).mean()), 3))
