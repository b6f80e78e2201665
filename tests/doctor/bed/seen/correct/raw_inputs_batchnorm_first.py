# expect: nothing
# looks suspicious: the loader gives raw columns from 0.1 to 1,600: the first layer is a BatchNorm1d, so the
# model scales by itself, by running statistics of training rows.
import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
wine = load_wine()
data = TensorDataset(torch.tensor(wine.data, dtype=torch.float32), torch.tensor(wine.target))
train, test = random_split(data, [128, 50])
model = nn.Sequential(nn.BatchNorm1d(13), nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(15):
    model.train()
    for x, y in DataLoader(train, batch_size=32, shuffle=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        print(f"epoch {epoch} loss {loss.item():.4f}")
model.eval()
with torch.no_grad():
    x, y = next(iter(DataLoader(test, batch_size=50)))
    print("accuracy", (model(x).argmax(1) == y).float().mean().item())
