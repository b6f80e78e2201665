# expect: nothing
# mends: best_test_loss_kept_by_trainer.py
"""A trainer keeps its best state by the loss of the test loader."""

import copy

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Trainer:
    def __init__(self, model, train_loader, test_loader):
        self.model, self.train_loader, self.test_loader = model, train_loader, test_loader
        self.optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        self.criterion = nn.CrossEntropyLoss()
        self.best_loss, self.best_state = float("inf"), None

    def _run(self, loader, train):
        self.model.train(train)
        total = 0.0
        with torch.set_grad_enabled(train):
            for x, y in loader:
                loss = self.criterion(self.model(x), y)
                if train:
                    self.optimizer.zero_grad()
                    loss.backward()
                    self.optimizer.step()
                total += loss.item() * len(y)
        return total / len(loader.dataset)

    def fit(self, epochs):
        for epoch in range(epochs):
            train_loss = self._run(self.train_loader, True)
            print(epoch, train_loss)
        self.best_state = copy.deepcopy(self.model.state_dict())
        self.best_loss = self._run(self.test_loader, False)


torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
scaler = StandardScaler().fit(X_train)


def loader(features, target, shuffle=False):
    x = torch.tensor(scaler.transform(features), dtype=torch.float32)
    return DataLoader(TensorDataset(x, torch.tensor(target)), batch_size=32, shuffle=shuffle)


trainer = Trainer(
    nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 2)),
    loader(X_train, y_train, True),
    loader(X_test, y_test),
)
trainer.fit(5)
print("best test loss", trainer.best_loss)
