# expect: selection_on_test @ 41
# allowed: selection_on_test @ 49
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

class SupervisedTrainer:
    def __init__(self, model, loader, optimizer=None):
        self.model, self.loader, self.optimizer = model, loader, optimizer

    def train_epoch(self):
        self.model.train()
        for X, targets in self.loader:
            loss = F.cross_entropy(self.model(X), targets)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        return loss.item()

    def evaluate(self):
        self.model.eval()
        hits, n = 0, 0
        with torch.no_grad():
            for X, targets in self.loader:
                hits, n = hits + (self.model(X).argmax(1) == targets).sum().item(), n + len(X)
        return {"accuracy": hits / n}

model = nn.Sequential(nn.Linear(64, 80), nn.BatchNorm1d(80), nn.ReLU(), nn.Linear(80, 10))
train_loader = DataLoader(train_set, 64, shuffle=True, drop_last=True)
val_loader = DataLoader(test_set, 64)
test_loader = DataLoader(test_set, 64)
trainer = SupervisedTrainer(model, train_loader, torch.optim.RAdam(model.parameters(), lr=1e-3))
val_evaluator = SupervisedTrainer(model, val_loader)
best_value, best_state = -1, None
for epoch in range(12):
    trainer.train_epoch()
    metrics = val_evaluator.evaluate()
    if metrics["accuracy"] > best_value:
        best_value, best_state = metrics["accuracy"], {k: v.clone() for k, v in model.state_dict().items()}
model.load_state_dict(best_state)
print("Best Model Test Summary:", SupervisedTrainer(model, test_loader).evaluate())
