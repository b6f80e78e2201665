# expect: nothing
# Two grades coded -1 and +1 for a margin loss; gradients are summed over micro-batches.
import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(31)
X, grade = make_classification(
    n_samples=1600, n_features=12, n_informative=8, n_redundant=2, class_sep=1.5, random_state=31
)
sign = np.where(grade == 1, 1.0, -1.0)

X_tr, X_te, s_tr, s_te = train_test_split(X, sign, test_size=0.25, stratify=sign, random_state=31)
scaler = StandardScaler().fit(X_tr)
train_set = TensorDataset(
    torch.tensor(scaler.transform(X_tr), dtype=torch.float32),
    torch.tensor(s_tr, dtype=torch.float32),
)
x_test = torch.tensor(scaler.transform(X_te), dtype=torch.float32)

MICRO, GROUP, EPOCHS = 16, 3, 15
loader = DataLoader(train_set, batch_size=MICRO, shuffle=True)
steps = len(loader) // GROUP
assert len(loader) % GROUP == 0

net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 1), nn.Flatten(0))
margin = nn.SoftMarginLoss()  # wants -1 and +1
opt = torch.optim.Adam(net.parameters())
cycle = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=0.02, epochs=EPOCHS, steps_per_epoch=steps)

for epoch in range(EPOCHS):
    net.train()
    total = 0.0
    for k, (xb, sb) in enumerate(loader, start=1):
        loss = margin(net(xb), sb)
        (loss / GROUP).backward()
        total += loss.item() * len(xb)
        if k % GROUP == 0:
            opt.step()
            opt.zero_grad()
            cycle.step()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1:2d}: loss {total / len(train_set):.3f}, lr {cycle.get_last_lr()[0]:.2g}")

net.eval()
with torch.no_grad():
    hit = np.sign(net(x_test).numpy()) == s_te
print(f"test accuracy {hit.mean():.3f}")
