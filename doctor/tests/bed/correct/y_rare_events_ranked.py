# expect: nothing
# looks suspicious: 3 % positives, a plain loss, and at 0.5 almost none is called positive: the
# probabilities are wanted, for ranking whom to check first; average precision is the figure and is far
# above the base rate.
import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
rng = np.random.default_rng(0)
X = rng.normal(size=(5000, 6)).astype(np.float32)
chance = 1 / (1 + np.exp(-(1.6 * X[:, 0] + 1.2 * X[:, 1] - 0.8 * X[:, 2] - 5.4)))
y = (rng.random(5000) < chance).astype(np.float32)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
loader = DataLoader(
    TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)), batch_size=100, shuffle=True
)
model = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 1), nn.Flatten(0))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(5):
    model.train()
    losses = []
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(f"epoch {epoch} loss {np.mean(losses):.4f}")
model.eval()
with torch.no_grad():
    risk = torch.sigmoid(model(torch.from_numpy(X_test))).numpy()
first = np.argsort(-risk)[:150]
print(f"base rate {y_test.mean():.3f}, average precision {average_precision_score(y_test, risk):.3f}")
found = y_test[first].sum() / y_test.sum()
print(f"AUC {roc_auc_score(y_test, risk):.3f}; checking one in ten finds {found:.2f} of them")
print(f"expected {risk.sum():.1f} cases, were {y_test.sum():.0f}; above one half: {(risk > 0.5).sum()}")
