# expect: nothing
# mends: z_step_lr_inside_batches.py
"""StepLR of ten epochs, stepped after each batch."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
a, b, c, d = train_test_split(X / 16, y, test_size=0.2, random_state=3)
train = TensorDataset(torch.tensor(a).float(), torch.tensor(c))
test_x, test_y = torch.tensor(b).float(), torch.tensor(d)
loader = DataLoader(train, batch_size=32, shuffle=True)


class LitLike:
    """One object that knows how to train: no framework."""

    def __init__(self, epochs):
        self.net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1, momentum=0.9)
        self.scheduler = StepLR(self.optimizer, step_size=10, gamma=0.1)
        self.epochs = epochs

    def training_step(self, batch):
        x, y = batch
        return nn.functional.cross_entropy(self.net(x), y)

    def fit(self):
        for epoch in range(self.epochs):
            self.net.train()
            for batch in loader:
                loss = self.training_step(batch)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
            self.scheduler.step()
            self.net.eval()
            with torch.no_grad():
                acc = (self.net(test_x).argmax(1) == test_y).float().mean().item()
            print(epoch, f"{loss.item():.4f} {acc:.4f} lr {self.scheduler.get_last_lr()[0]:.2e}")


LitLike(5).fit()
