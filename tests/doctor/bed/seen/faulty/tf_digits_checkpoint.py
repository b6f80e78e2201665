# expect: selection_on_test @ 56
"""Blog post code: keep the best checkpoint of the run on disk and report it at the end."""
import os
import tempfile

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(99)


def make_loaders(seed=99):
    X, y = load_digits(return_X_y=True)
    X_rest, X_test, y_rest, y_test = train_test_split(X, y, test_size=0.2, random_state=seed, stratify=y)
    X_train, X_val, y_train, y_val = train_test_split(X_rest, y_rest, test_size=0.25, random_state=seed, stratify=y_rest)

    def loader(features, labels, shuffle=False):
        ds = TensorDataset(torch.tensor(features / 16.0, dtype=torch.float32), torch.tensor(labels))
        return DataLoader(ds, batch_size=64, shuffle=shuffle)

    return loader(X_train, y_train, shuffle=True), loader(X_val, y_val), loader(X_test, y_test)


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    hits = sum((model(xb).argmax(dim=1) == yb).sum().item() for xb, yb in loader)
    return hits / len(loader.dataset)


def train_one_epoch(model, loader, criterion, optimizer):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    return loss.item()


train_loader, val_loader, test_loader = make_loaders()
model = nn.Sequential(
    nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.3),
    nn.Linear(64, 10),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

with tempfile.TemporaryDirectory() as folder:
    best_path, best_acc = os.path.join(folder, "best.pt"), 0.0
    for epoch in range(1, 21):
        train_one_epoch(model, train_loader, criterion, optimizer)
        acc = evaluate(model, test_loader)
        if acc > best_acc:
            best_acc = acc
            torch.save(model.state_dict(), best_path)
            print(f"epoch {epoch:2d}: accuracy {acc:.4f}, checkpoint saved")
    model.load_state_dict(torch.load(best_path))

print(f"validation accuracy of the checkpoint: {evaluate(model, val_loader):.4f}")
print(f"test accuracy of the checkpoint: {evaluate(model, test_loader):.4f}")
