# expect: graph_kept_alive @ 69
# mend: 69 →         meter.update(loss.item())
"""Focal loss (Lin et al.) with bfloat16 autocast on the breast cancer table; logs a smoothed loss as in our paper's figure 3."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

SEED, EPOCHS, BATCH, BETA = 11, 10, 32, 0.95


def focal_loss(logits, target, gamma=1.0):
    bce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    p_true = torch.exp(-bce)
    return ((1 - p_true) ** gamma * bce).mean()


class SmoothedMeter:
    """Exponential moving average with Adam-style bias correction."""

    def __init__(self, beta):
        self.beta, self.value, self.n = beta, 0.0, 0

    def update(self, x):
        self.value = self.beta * self.value + (1 - self.beta) * x
        self.n += 1

    def read(self):
        return float(self.value / (1 - self.beta ** self.n))


class ResidualMLP(nn.Module):
    def __init__(self, d, width=32):
        super().__init__()
        self.inp = nn.Linear(d, width)
        self.fc1, self.fc2 = nn.Linear(width, width), nn.Linear(width, width)
        self.out = nn.Linear(width, 1)

    def forward(self, x):
        h = F.relu(self.inp(x))
        h = h + self.fc2(F.relu(self.fc1(h)))
        return self.out(h).squeeze(1)


torch.manual_seed(SEED)
X, y = load_breast_cancer(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.25, stratify=y, random_state=SEED)
scaler = StandardScaler().fit(Xtr)
Xtr = torch.tensor(scaler.transform(Xtr), dtype=torch.float32)
Xte = torch.tensor(scaler.transform(Xte), dtype=torch.float32)
ytr = torch.tensor(ytr, dtype=torch.float32)

model = ResidualMLP(Xtr.shape[1])
opt = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
meter = SmoothedMeter(BETA)

for epoch in range(EPOCHS):
    model.train()
    for idx in torch.randperm(len(Xtr)).split(BATCH):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(Xtr[idx])
        loss = focal_loss(logits.float(), ytr[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        meter.update(loss)
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1:2d}  smoothed loss {meter.read():.4f}")

model.eval()
with torch.no_grad():
    scores = torch.sigmoid(model(Xte)).numpy()
print(f"test AUC {roc_auc_score(yte, scores):.4f}")
