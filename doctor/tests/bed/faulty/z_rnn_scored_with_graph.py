# expect: missing_no_grad @ 40
# allowed: missing_no_grad @ 39
# mend: 39 →     with torch.no_grad():
# mend: 40 →         for xb, yb in DataLoader(test, batch_size=50):
# mend: 40 +             test_loss += loss_fn(model(xb), yb).item() / 2
"""An LSTM scored after each epoch, every output with its graph."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(8)
x = torch.randn(500, 12, 3)
y = x[:, :, 0].cumsum(1)[:, -1:] / 4
train, test = TensorDataset(x[:400], y[:400]), TensorDataset(x[400:], y[400:])


class Sum(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 16, batch_first=True)
        self.fc = nn.Linear(16, 1)

    def forward(self, x):
        return self.fc(self.lstm(x)[0][:, -1])


model = Sum()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
loss_fn = nn.MSELoss()
for epoch in range(6):
    model.train()
    for xb, yb in DataLoader(train, batch_size=40, shuffle=True):
        optimizer.zero_grad()
        loss_fn(model(xb), yb).backward()
        optimizer.step()
    model.eval()
    test_loss = 0.0
    for xb, yb in DataLoader(test, batch_size=50):
        test_loss += loss_fn(model(xb), yb).item() / 2
    print(f"epoch {epoch} test {test_loss:.4f}")
