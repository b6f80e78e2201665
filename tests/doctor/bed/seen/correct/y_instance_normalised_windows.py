# expect: nothing
# looks suspicious: raw prices around 30000 enter the net, in order, without a scaler: the forward
# standardises each window by itself (reversible instance normalisation) and gives the scale back.
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
n, lag = 1200, 20
steps = 40 * torch.randn(n) + 120 * torch.sin(torch.arange(n) / 6)
price = 30000 + steps.cumsum(0)
frames = price.unfold(0, lag + 1, 1)
train, test = frames[:900], frames[900 + lag :]
train_loader = DataLoader(TensorDataset(train[:, :-1], train[:, -1]), batch_size=60, shuffle=False)
test_loader = DataLoader(TensorDataset(test[:, :-1], test[:, -1]), batch_size=100)


class RevIN(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        last = x[:, -1:]
        scale = x.std(dim=1, keepdim=True) + 1e-5
        return (self.body((x - last) / scale) * scale + last).squeeze(1)


model = RevIN(nn.Sequential(nn.Linear(lag, 32), nn.ReLU(), nn.Linear(32, 1)))
criterion = nn.L1Loss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(8):
    model.train()
    total = 0.0
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
    model.eval()
    with torch.no_grad():
        error = sum(criterion(model(x), y).item() * len(x) for x, y in test_loader) / len(test)
    print(f"epoch {epoch}: train {total / 900:.1f} test {error:.1f}")
