# expect: nothing
# looks suspicious: labels are -1 and +1, weights start at zero and weight decay is 0.01: a linear support
# vector machine trained by subgradient descent.
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, 2 * y - 1, test_size=0.3, random_state=7)
prep = make_pipeline(StandardScaler()).fit(X)
X, X_test = (torch.tensor(prep.transform(v), dtype=torch.float32) for v in (X, X_test))
y, y_test = (torch.tensor(v, dtype=torch.float32) for v in (y, y_test))

model = nn.Linear(30, 1)
nn.init.zeros_(model.weight)
nn.init.zeros_(model.bias)
optimizer = torch.optim.SGD(
    [{"params": [model.weight], "weight_decay": 0.01}, {"params": [model.bias], "weight_decay": 0.0}], lr=0.05
)
n = len(y)
for epoch in range(12):
    perm = torch.randperm(n)
    sum_loss = 0.0
    for i in range(0, n, 20):
        rows = perm[i : i + 20]
        optimizer.zero_grad()
        output = model(X[rows]).squeeze(1)
        loss = torch.clamp(1 - output * y[rows], min=0).mean()
        loss.backward()
        optimizer.step()
        sum_loss += loss.item() * len(rows)
    if epoch % 4 == 3:
        print(f"Epoch {epoch + 1}, loss {sum_loss / n:.4f}")
with torch.no_grad():
    print("accuracy", (model(X_test).squeeze(1).sign() == y_test).float().mean().item())
