# expect: duplicate_leakage @ 18
# allowed: duplicate_leakage @ 17
"""More pictures by repeating the rare class, and then the split."""

import torch
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(15)
healthy = torch.randn(400, 16)
sick = torch.randn(60, 16) + 0.5
X = torch.cat([healthy, sick])
y = torch.cat([torch.zeros(400), torch.ones(60)]).long()

extra = sick.repeat(5, 1)
X, y = torch.cat([X, extra]), torch.cat([y, torch.ones(len(extra), dtype=torch.long)])
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.25, random_state=1, stratify=y)

loader = DataLoader(TensorDataset(X_tr, y_tr), batch_size=40, shuffle=True)
clf = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 2))
adam = torch.optim.Adam(clf.parameters(), lr=3e-3)
for _epoch in range(12):
    for xb, yb in loader:
        adam.zero_grad()
        loss = nn.functional.cross_entropy(clf(xb), yb)
        loss.backward()
        adam.step()

clf.eval()
with torch.no_grad():
    p = clf(X_te).argmax(1)
recall = ((p == 1) & (y_te == 1)).sum() / (y_te == 1).sum()
print(f"accuracy {(p == y_te).float().mean():.3f} recall of the sick {recall:.3f}")
