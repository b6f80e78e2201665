# expect: nothing
# mends: whole_set_in_trainer.py
"""A trainer gets the whole dataset for training and a Subset of it for testing."""

import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset


class Trainer:
    def __init__(self, model, lr):
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)

    def fit(self, loader, epochs):
        self.model.train()
        for _ in range(epochs):
            for x, y in loader:
                loss = nn.functional.cross_entropy(self.model(x), y)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()

    @torch.no_grad()
    def score(self, loader):
        self.model.eval()
        right = sum((self.model(x).argmax(1) == y).sum().item() for x, y in loader)
        return right / len(loader.dataset)


torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X = torch.tensor(X).float().log1p()
dataset = TensorDataset(X, torch.tensor(y))
indices = torch.randperm(len(dataset)).tolist()
train_idx, test_idx = indices[:130], indices[130:]
train_loader = DataLoader(Subset(dataset, train_idx), batch_size=16, shuffle=True)
test_loader = DataLoader(Subset(dataset, test_idx), batch_size=16)

trainer = Trainer(nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3)), 5e-3)
trainer.fit(train_loader, 6)
print("accuracy", trainer.score(test_loader))
