# expect: nothing
"""Wine classification with gradient accumulation; gradients cleared by setting p.grad to None after the step."""
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(6)
X, y = load_wine(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.3, stratify=y, random_state=6)
sc = StandardScaler().fit(Xa)
f = lambda v: torch.tensor(sc.transform(v), dtype=torch.float32)
loader = DataLoader(TensorDataset(f(Xa), torch.tensor(ya)), batch_size=4, shuffle=True)
ACCUM = 4

model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
criterion = nn.CrossEntropyLoss()


def clear(m):
    for p in m.parameters():
        p.grad = None


clear(model)
for epoch in range(12):
    model.train()
    total = 0.0
    for i, (xb, yb_) in enumerate(loader):
        loss = criterion(model(xb), yb_) / ACCUM
        loss.backward()
        total += loss.item() * ACCUM
        if (i + 1) % ACCUM == 0 or (i + 1) == len(loader):
            optimizer.step()
            clear(model)
    print(f"epoch {epoch} loss {total / len(loader):.4f}")

model.eval()
with torch.no_grad():
    print("test acc", round((model(f(Xb)).argmax(1) == torch.tensor(yb)).float().mean().item(), 3))
