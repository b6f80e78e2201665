# expect: nothing
# looks suspicious: training rows all belong to one class and labels are never used: anomaly detection by
# reconstruction; the other class appears in the test only.
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
normal = torch.tensor(y == 1).nonzero().squeeze(1)
odd = torch.tensor(y == 0).nonzero().squeeze(1)
normal = normal[torch.randperm(len(normal))]
fit, judge = normal[:250], torch.cat([normal[250:], odd])
scaler = StandardScaler().fit(X[fit])
x = torch.tensor(scaler.transform(X), dtype=torch.float32)

ae = nn.Sequential(
    nn.Linear(30, 16), nn.ELU(), nn.Linear(16, 5), nn.Linear(5, 16), nn.ELU(), nn.Linear(16, 30)
)
opt = torch.optim.Adam(ae.parameters(), lr=5e-3)
for epoch in range(25):
    for rows in fit[torch.randperm(250)].split(50):
        opt.zero_grad()
        loss = nn.functional.mse_loss(ae(x[rows]), x[rows])
        loss.backward()
        opt.step()
    if epoch % 6 == 0:
        print(f"epoch {epoch} reconstruction {loss.item():.4f}")
with torch.no_grad():
    score = (ae(x[judge]) - x[judge]).square().mean(1)
print("roc auc", round(roc_auc_score(y[judge] == 0, score), 4))
