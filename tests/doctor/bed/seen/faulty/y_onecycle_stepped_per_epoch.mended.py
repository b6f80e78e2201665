# expect: nothing
"""OneCycleLR is told the number of batches and then stepped once an epoch."""

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
mu, sigma = X_train.mean(0), X_train.std(0)
train_ds = TensorDataset(torch.tensor((X_train - mu) / sigma).float(), torch.tensor(y_train))
xt, yt = torch.tensor((X_test - mu) / sigma).float(), torch.tensor(y_test)
train_loader = DataLoader(train_ds, batch_size=16, shuffle=True)

EPOCHS = 12
model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, max_lr=0.1, epochs=EPOCHS, steps_per_epoch=len(train_loader)
)

for epoch in range(EPOCHS):
    model.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
    print(f"epoch {epoch:2d} loss {loss.item():.4f} lr {scheduler.get_last_lr()[0]:.5f}")

model.eval()
with torch.no_grad():
    print(f"test accuracy {(model(xt).argmax(1) == yt).float().mean():.3f}")
