# expect: nothing
# needs: ignite
"""Digits with engines of ignite, their metrics and early stopping."""

import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset
from ignite.engine import Events, create_supervised_evaluator, create_supervised_trainer
from ignite.metrics import Accuracy, Loss
from ignite.handlers import EarlyStopping

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
a, b, c, d = train_test_split(X / 16, y, test_size=0.25, random_state=0, stratify=y)
f = lambda u, v: TensorDataset(torch.tensor(u, dtype=torch.float32), torch.tensor(v))
dl, vl = DataLoader(f(a, c), 64, shuffle=True), DataLoader(f(b, d), 256)
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.8)
crit = nn.CrossEntropyLoss()
trainer = create_supervised_trainer(net, opt, crit)
train_ev = create_supervised_evaluator(net, metrics={"acc": Accuracy(), "nll": Loss(crit)})
val_ev = create_supervised_evaluator(net, metrics={"acc": Accuracy(), "nll": Loss(crit)})
val_ev.add_event_handler(Events.COMPLETED, EarlyStopping(5, lambda e: -e.state.metrics["nll"], trainer))


@trainer.on(Events.EPOCH_COMPLETED)
def log(e):
    train_ev.run(dl)
    val_ev.run(vl)
    print(e.state.epoch, train_ev.state.metrics, val_ev.state.metrics)


trainer.run(dl, max_epochs=10)
