# expect: nothing
"""Kaggle-style tabular kernel: hold-out test, validation for early stopping."""
import copy
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

SEED = 42
torch.manual_seed(SEED)
X, y = load_wine(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=SEED)
X_train, X_valid, y_train, y_valid = train_test_split(X, y, test_size=0.25, stratify=y, random_state=SEED)
scaler = StandardScaler().fit(X_train)
X_train, X_valid, X_test = (torch.tensor(scaler.transform(a)).float() for a in (X_train, X_valid, X_test))
y_train, y_valid, y_test = (torch.tensor(a) for a in (y_train, y_valid, y_test))

model = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 3))
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()
best_loss, best_state, patience, wait = float("inf"), None, 5, 0

for epoch in range(40):
    model.train()
    for idx in torch.randperm(len(X_train)).split(16):
        optimizer.zero_grad()
        criterion(model(X_train[idx]), y_train[idx]).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        valid_loss = criterion(model(X_valid), y_valid).item()
    if valid_loss < best_loss:
        best_loss, best_state, wait = valid_loss, copy.deepcopy(model.state_dict()), 0
    else:
        wait += 1
        if wait >= patience:
            break

model.load_state_dict(best_state)
model.eval()
with torch.no_grad():
    test_acc = (model(X_test).argmax(dim=1) == y_test).float().mean().item()
print(f"stopped after {epoch + 1} epochs, valid loss {best_loss:.4f}, test accuracy {test_acc:.3f}")
