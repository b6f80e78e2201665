# expect: unshuffled_sorted @ 17
"""Four files, one per class, joined one after the other and read in small batches without shuffling."""

import numpy as np
import torch
from sklearn.datasets import make_classification
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
features, kind = make_classification(
    800, 10, n_informative=6, n_classes=4, n_clusters_per_class=1, class_sep=1.2, random_state=2
)
files = [features[kind == k] for k in range(4)]
x = torch.tensor(np.concatenate(files), dtype=torch.float32)
y = torch.cat([torch.full((len(rows),), k) for k, rows in enumerate(files)])
loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=False)
net = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 4))
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(6):
    for xb, yb in loader:
        opt.zero_grad()
        loss = loss_fn(net(xb), yb)
        loss.backward()
        opt.step()
    with torch.no_grad():
        pred = net(x).argmax(1)
    share = torch.bincount(pred, minlength=4).tolist()
    print(f"epoch {epoch} accuracy {(pred == y).float().mean():.3f} predicted {share}")
