# expect: class_imbalance @ 29
# allowed: class_imbalance @ 34
# mend: 29 →     criterion = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(49.0))
"""One fraud in fifty, one logit, plain binary cross-entropy."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(7)
x = torch.randn(2500, 8)
risk = x[:, 0] * x[:, 1] + 1.5 * torch.randn(2500)
y = (risk > risk.quantile(0.98)).float()
train_set, test_set = random_split(TensorDataset(x, y), [2000, 500])


class FraudNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 1))

    def forward(self, x):
        return self.layers(x).squeeze(1)


def main(epochs=5):
    model = FraudNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(epochs):
        model.train()
        for xb, yb in DataLoader(train_set, batch_size=100, shuffle=True):
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            xb, yb = next(iter(DataLoader(test_set, batch_size=500)))
            hit = ((model(xb) > 0).float() == yb).float().mean().item()
        print(f"epoch {epoch}: loss {loss.item():.4f}, accuracy {hit:.4f}")


main()
