# expect: nothing
"""Deep MLP on the sklearn digits, built from a loop over hidden layers."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(42)
DEPTH, WIDTH = 6, 64


def mlp(n_in, n_out):
    blocks = [nn.Flatten()]
    for i in range(DEPTH):
        blocks.append(nn.Linear(n_in if i == 0 else WIDTH, WIDTH))
        blocks.append(nn.ReLU())
    blocks.append(nn.Linear(WIDTH, n_out))
    return nn.Sequential(*blocks)


data = load_digits()
Xtr, Xva, ytr, yva = train_test_split(data.images / 16.0 - 0.3, data.target, test_size=0.3,
                                      stratify=data.target, random_state=1)
train_ds = TensorDataset(torch.tensor(Xtr, dtype=torch.float32), torch.tensor(ytr))
val_ds = TensorDataset(torch.tensor(Xva, dtype=torch.float32), torch.tensor(yva))
train_dl = DataLoader(train_ds, batch_size=32, shuffle=True)
val_dl = DataLoader(val_ds, batch_size=256)

model = mlp(64, 10)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(1, 13):
    model.train()
    running = 0.0
    for images, labels in train_dl:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        running += loss.item()
    if epoch % 4 == 0:
        model.eval()
        hits = 0
        with torch.no_grad():
            for images, labels in val_dl:
                hits += (model(images).argmax(1) == labels).sum().item()
        print(f"[{epoch}] loss={running / len(train_dl):.4f} val_acc={hits / len(val_ds):.4f}")
