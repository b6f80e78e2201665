# expect: best_state_not_copied @ 36
# mend: 36 →             self.lowest, self.best = loss, {k: v.clone() for k, v in net.state_dict().items()}
"""Early stopping that keeps the best weights, and restores the newest: its dictionary is no copy."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
x = torch.randn(240, 6)
y = ((x[:, 0] * x[:, 1] + 0.7 * torch.randn(240)) > 0).long()
train = DataLoader(TensorDataset(x[:120], y[:120]), batch_size=24, shuffle=True)
x_val, y_val = x[120:], y[120:]


def validate(net):
    net.eval()
    with torch.no_grad():
        loss = F.cross_entropy(net(x_val), y_val).item()
    net.train()
    return loss


class Patience:
    """Stops when the validation loss has not improved for some epochs."""

    def __init__(self, epochs):
        self.epochs, self.left = epochs, epochs
        self.lowest, self.best = float("inf"), None

    def over(self, net, loss):
        self.left -= 1
        if loss < self.lowest:
            self.left = self.epochs
            self.lowest, self.best = loss, net.state_dict()
        return self.left == 0


net = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
patience = Patience(5)
for epoch in range(60):
    for rows, labels in train:
        optimizer.zero_grad()
        F.cross_entropy(net(rows), labels).backward()
        optimizer.step()
    if patience.over(net, validate(net)):
        break
net.load_state_dict(patience.best)
print(f"restored: {validate(net):.4f}, best: {patience.lowest:.4f}")
