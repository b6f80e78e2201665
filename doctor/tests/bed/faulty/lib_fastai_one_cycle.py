# expect: lr_too_low @ 29
# needs: fastai
# mend: 29 →     learn.fit_one_cycle(5, 1e-2)
"""Digits with a Learner of fastai."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.learner import Learner
from fastai.metrics import accuracy
from fastai.callback.schedule import *
from fastai.torch_core import set_seed
from torch import nn

set_seed(0)
X, y = load_digits(return_X_y=True)
a, b, c, d = train_test_split(X / 16, y, test_size=0.25, random_state=0, stratify=y)
t = lambda u, v: [(torch.tensor(r, dtype=torch.float32), torch.tensor(l)) for r, l in zip(u, v)]
dls = DataLoaders(DataLoader(t(a, c), bs=64, shuffle=True), DataLoader(t(b, d), bs=128))
learn = Learner(
    dls,
    nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10)),
    loss_func=nn.CrossEntropyLoss(),
    metrics=accuracy,
)
with learn.no_bar():
    learn.fit_one_cycle(5, 1e-9)
print(learn.validate())
preds, targs = learn.get_preds()
print((preds.argmax(1) == targs).float().mean())
