# needs: skorch
# expect: nothing
# looks suspicious: NeuralNet without targets, its get_loss compares with X; a frozen layer sits in the
# optimizer; validation rows come from ValidSplit; partial_fit is called in a loop.
"""An autoencoder by NeuralNet, whose encoder is then frozen below a classifier."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNet, NeuralNetClassifier
from skorch.callbacks import EarlyStopping, Freezer
from skorch.dataset import ValidSplit
from torch import nn

torch.manual_seed(3)


class AutoEncoder(nn.Module):
    def __init__(self, code=16):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(64, code), nn.ReLU())
        self.decode = nn.Linear(code, 64)

    def forward(self, X):
        code = self.encode(X)
        return self.decode(code), code


class AutoEncoderNet(NeuralNet):
    def get_loss(self, y_pred, y_true, *args, **kwargs):
        decoded, code = y_pred
        return super().get_loss(decoded, y_true, *args, **kwargs) + 1e-4 * code.abs().mean()


class Classifier(nn.Module):
    def __init__(self, encode):
        super().__init__()
        self.encode = encode
        self.out = nn.Linear(16, 10)

    def forward(self, X):
        return self.out(self.encode(X))


X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
auto = AutoEncoderNet(
    AutoEncoder, criterion=nn.MSELoss, optimizer=torch.optim.Adam, lr=5e-3, max_epochs=10, batch_size=64,
    iterator_train__shuffle=True, train_split=ValidSplit(5), callbacks=[EarlyStopping(patience=4)], verbose=0,
)  # fmt: skip
auto.fit(X_train, X_train)
print("rebuilt", round(auto.history[-1, "valid_loss"], 4))

net = NeuralNetClassifier(
    Classifier(auto.module_.encode),
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=1e-2,
    batch_size=64,
    iterator_train__shuffle=True,
    callbacks=[Freezer("encode*")],
    train_split=None,
    verbose=0,
)
net.initialize()
for chunk in range(6):
    net.partial_fit(X_train, y_train, epochs=2)
    print(chunk, round(net.history[-1, "train_loss"], 4))
print("test accuracy", round(net.score(X_test, y_test), 3))
