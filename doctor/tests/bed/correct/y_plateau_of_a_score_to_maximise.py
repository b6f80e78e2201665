# expect: nothing
# looks suspicious: ReduceLROnPlateau is stepped with an accuracy, and on top of it a second scheduler
# steps: mode is max, and the warm-up steps in the first epoch only.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
d = load_digits()
parts = random_split(
    TensorDataset(torch.tensor(d.data / 16).float(), torch.tensor(d.target)), [1200, 300, 297]
)
train_loader = DataLoader(parts[0], batch_size=60, shuffle=True)
val_loader, test_loader = (DataLoader(p, batch_size=300) for p in parts[1:])
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
warmup = LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / len(train_loader)))
plateau = ReduceLROnPlateau(optimizer, mode="max", factor=0.3, patience=0, threshold=5e-3)


def accuracy(loader):
    model.eval()
    with torch.no_grad():
        x, y = next(iter(loader))
        return (model(x).argmax(1) == y).float().mean().item()


for epoch in range(8):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        if epoch == 0:
            warmup.step()
    val = accuracy(val_loader)
    plateau.step(val)
    print(f"epoch {epoch} loss {loss.item():.4f} val {val:.3f} lr {optimizer.param_groups[0]['lr']:.4f}")
print(f"test accuracy {accuracy(test_loader):.3f}")
