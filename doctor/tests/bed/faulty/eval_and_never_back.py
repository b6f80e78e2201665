# expect: train_mode_never_restored @ 32
# allowed: train_mode_never_restored @ 28
# allowed: train_mode_never_restored @ 24
# mend: 24 →
# mend: 25 +     model.train()
"""model.train() stands before the loop, model.eval() inside it."""

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
mean, std = X_train.mean(0), X_train.std(0)
X_train, X_val = (torch.tensor((v - mean) / std, dtype=torch.float32) for v in (X_train, X_val))
y_train, y_val = torch.tensor(y_train), torch.tensor(y_val)

model = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 3))
criterion = nn.CrossEntropyLoss()
opt = torch.optim.Adam(model.parameters(), lr=0.01)

model.train()
for epoch in range(12):
    for idx in torch.randperm(len(X_train)).split(31):
        opt.zero_grad()
        loss = criterion(model(X_train[idx]), y_train[idx])
        loss.backward()
        opt.step()

    model.eval()
    with torch.no_grad():
        val_loss = criterion(model(X_val), y_val).item()
    if epoch % 3 == 0:
        print(f"epoch {epoch} val loss {val_loss:.4f}")
