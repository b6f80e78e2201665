# expect: scheduler_misuse @ 32
# allowed: scheduler_misuse @ 25
"""CosineAnnealingLR with T_max in epochs, stepped in the loop over batches."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
digits = load_digits()
data = TensorDataset(torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target))
train_data, test_data = random_split(data, [0.8, 0.2])
train_loader = DataLoader(train_data, batch_size=64, shuffle=True)
test_loader = DataLoader(test_data, batch_size=360)
num_epochs = 6


class Trainer:
    def __init__(self, model):
        self.model = model
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
        self.scheduler = CosineAnnealingLR(self.optimizer, T_max=num_epochs)

    def _run_batch(self, source, targets):
        self.optimizer.zero_grad()
        loss = self.criterion(self.model(source), targets)
        loss.backward()
        self.optimizer.step()
        self.scheduler.step()
        return loss.item()

    def _run_epoch(self, epoch):
        self.model.train()
        losses = [self._run_batch(source, targets) for source, targets in train_loader]
        rate = self.scheduler.get_last_lr()[0]
        print(f"Epoch {epoch} | Steps: {len(losses)} | Loss: {losses[-1]:.4f} | lr: {rate:.5f}")

    def train(self, max_epochs):
        for epoch in range(max_epochs):
            self._run_epoch(epoch)


model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
Trainer(model).train(num_epochs)
model.eval()
with torch.no_grad():
    x, y = next(iter(test_loader))
    print(f"test accuracy {(model(x).argmax(1) == y).float().mean():.4f}")
