# expect: target_broadcast @ 30
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_diabetes
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
table = load_diabetes()

x = torch.tensor(table.data, dtype=torch.float32) * 20
y = torch.tensor((table.target - table.target[:350].mean()) / table.target[:350].std(), dtype=torch.float32)

class Method:
    def __init__(self, is_regression=True):
        self.model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
        self.criterion = F.mse_loss if is_regression else F.cross_entropy
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=2e-3, weight_decay=1e-5)

    def predict(self, x):
        self.model.eval()
        with torch.no_grad():
            return self.model(x).squeeze(-1)

    def fit(self, loader, epochs):
        for epoch in range(epochs):
            self.model.train()
            for X, Y in loader:
                loss = self.criterion(self.model(X).squeeze(-1), Y)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
        return loss.item()

method = Method()
print(method.fit(DataLoader(TensorDataset(x[:350], y[:350, None]), 32, shuffle=True), 30))
print("rmse", (method.predict(x[350:]) - y[350:]).pow(2).mean().sqrt().item())
