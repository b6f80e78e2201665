# expect: nothing
# looks suspicious: the model is a compiled wrapper: the parameters of the optimizer belong to the original,
# and eval and train are called on the wrapper.
import torch
from sklearn.datasets import make_classification
from torch import nn

torch.manual_seed(0)
X, y = make_classification(900, 12, n_informative=6, class_sep=1.5, random_state=0)
X = torch.tensor(X, dtype=torch.float32)
X = (X - X[:700].mean(0)) / X[:700].std(0)
y = torch.tensor(y)
model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 2))
compiled = torch.compile(model, backend="eager")
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
for epoch in range(4):
    compiled.train()
    for rows in torch.randperm(700).split(70):
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(compiled(X[rows]), y[rows])
        loss.backward()
        optimizer.step()
    print(epoch, round(loss.item(), 4))
compiled.eval()
with torch.no_grad():
    print("accuracy", (compiled(X[700:]).argmax(1) == y[700:]).float().mean().item())
