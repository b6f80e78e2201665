# expect: nothing
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
data = load_digits()
x_train, x_test, y_train, y_test = train_test_split(data.data / 16.0, data.target, test_size=0.3, random_state=0)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.2, random_state=0)
to = lambda x, y: TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
train_set, val_set, test_set = to(x_train, y_train), to(x_val, y_val), to(x_test, y_test)

class TrainManager:
    def __init__(self, model, validation_freq=7):
        self.model, self.freq, self.steps = model, validation_freq, 0
        self.optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        self.loss = nn.CrossEntropyLoss()

    def train_and_validate(self, train_set, valid_set, epochs):
        loader = DataLoader(train_set, 32, shuffle=True)
        for epoch in range(epochs):
            self.model.train()
            for batch in loader:
                self._train_step(batch)
                self.steps += 1
                if self.steps % self.freq == 0:
                    score = self._validate(valid_set)
            print(f"epoch {epoch} score {score:.3f}")

    def _train_step(self, batch):
        self.model.train()
        x, y = batch
        loss = self.loss(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()

    def _validate(self, valid_set):
        hits = 0
        self.model.eval()
        with torch.no_grad():
            for x, y in DataLoader(valid_set, 64):
                hits += (self.model(x).argmax(-1) == y).sum().item()
        return hits / len(valid_set)

net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))
TrainManager(net).train_and_validate(train_set, val_set, 6)
