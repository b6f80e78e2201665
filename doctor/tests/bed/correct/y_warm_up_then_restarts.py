# expect: nothing
# looks suspicious: the scheduler steps with every batch and the rate goes up again and again: a linear
# warm-up and cosine restarts counted in batches, as they were built.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts, LinearLR, SequentialLR
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
d = load_digits()
dataset = TensorDataset(torch.tensor(d.data / 16).float(), torch.tensor(d.target))
train, test = random_split(dataset, [1400, 397])
loader = DataLoader(train, batch_size=70, shuffle=True)
per_epoch = len(loader)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
warmup = LinearLR(optimizer, start_factor=0.05, total_iters=per_epoch)
restarts = CosineAnnealingWarmRestarts(optimizer, T_0=per_epoch, T_mult=2, eta_min=1e-3)
scheduler = SequentialLR(optimizer, [warmup, restarts], milestones=[per_epoch])
criterion = nn.CrossEntropyLoss()
for epoch in range(1 + 1 + 2):
    model.train()
    rates = []
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        rates.append(scheduler.get_last_lr()[0])
        scheduler.step()
    print(f"epoch {epoch} loss {loss.item():.4f} lr {rates[0]:.4f} to {rates[-1]:.4f}")
model.eval()
with torch.no_grad():
    hits = sum((model(x).argmax(1) == y).sum().item() for x, y in DataLoader(test, batch_size=200))
print(f"accuracy {hits / len(test):.3f}")
