# expect: scaler_leakage @ 15
# mend: 15 → sc = StandardScaler().fit(Xa)
"""Breast-cancer table: exponential moving average of the weights is what gets evaluated."""
import copy

import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(10)
X, y = load_breast_cancer(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.25, random_state=10, stratify=y)
sc = StandardScaler().fit(X)
Xa, Xb = [torch.tensor(sc.transform(v), dtype=torch.float32) for v in (Xa, Xb)]
ya, yb = [torch.tensor(v, dtype=torch.float32) for v in (ya, yb)]


class EMA:
    def __init__(self, model, decay):
        self.shadow = copy.deepcopy(model).eval()
        self.decay = decay
        for p in self.shadow.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for s, p in zip(self.shadow.parameters(), model.parameters()):
            s.mul_(self.decay).add_(p, alpha=1 - self.decay)


model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 1))
ema = EMA(model, 0.95)
opt = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
model.train()
for epoch in range(15):
    for idx in torch.randperm(len(Xa)).split(32):
        loss = nn.functional.binary_cross_entropy_with_logits(model(Xa[idx]).squeeze(1), ya[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        ema.update(model)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {loss.item():.4f}")

with torch.no_grad():
    prob = torch.sigmoid(ema.shadow(Xb)).squeeze(1)
print("EMA test accuracy", round(((prob > 0.5).float() == yb).float().mean().item(), 3))
