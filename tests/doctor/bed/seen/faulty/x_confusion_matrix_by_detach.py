# expect: missing_no_grad @ 46
"""Trainer with a separate report: a confusion matrix over the held-out rows after every epoch."""

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)


class Experiment:
    def __init__(self, hidden=24, lr=5e-3):
        x, y = load_wine(return_X_y=True)
        x, xt, y, yt = train_test_split(x, y, test_size=0.3, stratify=y, random_state=3)
        m, s = x.mean(0), x.std(0)
        self.train_loader = self.loader((x - m) / s, y, shuffle=True)
        self.test_loader = self.loader((xt - m) / s, yt, shuffle=False)
        self.model = nn.Sequential(
            nn.Linear(13, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, 3)
        )
        self.loss = nn.CrossEntropyLoss()
        self.optim = torch.optim.Adam(self.model.parameters(), lr=lr)

    @staticmethod
    def loader(x, y, shuffle):
        data = TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
        return DataLoader(data, batch_size=31, shuffle=shuffle)

    def fit_epoch(self):
        self.model.train()
        for x, y in self.train_loader:
            self.optim.zero_grad()
            loss = self.loss(self.model(x), y)
            loss.backward()
            self.optim.step()
        return loss.item()

    def report(self):
        self.model.eval()
        truth, guess = [], []
        for x, y in self.test_loader:
            prob = torch.softmax(self.model(x), dim=1)
            guess.append(prob.detach().numpy().argmax(1))
            truth.append(y.numpy())
        return confusion_matrix(np.concatenate(truth), np.concatenate(guess))


experiment = Experiment()
for epoch in range(4):
    loss = experiment.fit_epoch()
    print(f"epoch {epoch} loss {loss:.4f}", experiment.report().tolist())
