# expect: sorted_split @ 20
"""Four leaf species, measured one after the other; a confusion table by scikit-learn."""
import numpy as np
import torch
from sklearn.metrics import confusion_matrix
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
rng = np.random.default_rng(1)
centres = rng.normal(0, 2, (4, 6))
rows, species = [], []
for k in range(4):
    for _ in range(100):
        rows.append(centres[k] + rng.normal(0, 0.8, 6))
        species.append(k)
x = torch.tensor(np.array(rows), dtype=torch.float32)
y = torch.tensor(species)
n = int(0.75 * len(x))
train, test = TensorDataset(x[:n], y[:n]), TensorDataset(x[n:], y[n:])
model = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 4))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(15):
    for xb, yb in DataLoader(train, batch_size=32, shuffle=True):
        loss = nn.functional.cross_entropy(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
model.eval()
truth, said = [], []
with torch.no_grad():
    for xb, yb in DataLoader(test, batch_size=64):
        scores = model(xb).numpy()
        said += [int(s.argmax()) for s in scores]
        truth += yb.tolist()
print(confusion_matrix(truth, said, labels=range(4)))
