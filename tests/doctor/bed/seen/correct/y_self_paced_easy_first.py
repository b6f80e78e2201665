# expect: nothing
# looks suspicious: no shuffling, each epoch begins with the rows of smallest loss and adds harder ones:
# self-paced learning.
import torch
from sklearn.datasets import make_classification
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(0)
X, y = make_classification(1500, 12, n_informative=6, n_classes=3, flip_y=0.08, class_sep=1.5, random_state=2)
X, y = torch.tensor(X).float(), torch.tensor(y)
train_set, test_x, test_y = TensorDataset(X[:1200], y[:1200]), X[1200:], y[1200:]
model = nn.Sequential(nn.Linear(12, 48), nn.ReLU(), nn.Linear(48, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

EPOCHS = 10
for epoch in range(EPOCHS):
    model.eval()
    with torch.no_grad():
        difficulty = nn.functional.cross_entropy(model(X[:1200]), y[:1200], reduction="none")
    share = min(1.0, 0.4 + 0.8 * epoch / EPOCHS)
    easy_first = difficulty.argsort()[: int(share * 1200)].tolist()
    model.train()
    for xb, yb in DataLoader(Subset(train_set, easy_first), batch_size=60, shuffle=False):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} rows {len(easy_first)} mean loss before {difficulty.mean():.3f}")
model.eval()
with torch.no_grad():
    print(f"test accuracy {(model(test_x).argmax(1) == test_y).float().mean():.3f}")
