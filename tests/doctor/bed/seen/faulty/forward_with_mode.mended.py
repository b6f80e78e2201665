# expect: nothing
# mends: forward_with_mode.py
"""One function for training and testing, as in the exercise forward(loader, net, epoch, mode)."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

args = {"batch_size": 50, "lr": 1e-3, "weight_decay": 5e-4, "num_epochs": 4, "device": "cpu"}
torch.manual_seed(1)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16.0, y, test_size=0.25, random_state=0, stratify=y)


def as_loader(x, t, shuffle):
    ds = TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(t))
    return DataLoader(ds, batch_size=args["batch_size"], shuffle=shuffle)


train_loader = as_loader(X_train, y_train, True)
test_loader = as_loader(X_test, y_test, False)

net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
criterion = nn.CrossEntropyLoss()
optimizer = optim.Adam(net.parameters(), lr=args["lr"], weight_decay=args["weight_decay"])


def forward(loader, net, epoch, mode):
    if mode == "train":
        net.train()
    else:
        net.eval()

    epoch_loss = []
    for batch in loader:
        dado, rotulo = batch
        dado = dado.to(args["device"])
        rotulo = rotulo.to(args["device"])

        with torch.set_grad_enabled(mode == "train"):
            pred = net(dado)
            loss = criterion(pred, rotulo)
        epoch_loss.append(loss.cpu().data)

        if mode == "train":
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    epoch_loss = np.asarray(epoch_loss)
    print(f"Epoca {epoch}, {mode}, Loss: {epoch_loss.mean():.4f} +/- {epoch_loss.std():.4f}")


for epoch in range(args["num_epochs"]):
    forward(train_loader, net, epoch, "train")
    forward(test_loader, net, epoch, "test")
    print("-------------------------------")
