# expect: nothing
# looks suspicious: the closure runs backward many times within a single optimizer.step(closure); each call
# clears the gradients itself.
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.3, random_state=1)
s = StandardScaler().fit(Xa)
Xa, Xb = (torch.tensor(s.transform(v), dtype=torch.float64) for v in (Xa, Xb))
ya, yb = torch.tensor(ya, dtype=torch.float64), torch.tensor(yb, dtype=torch.float64)

model = torch.nn.Linear(30, 1).double()
optimizer = torch.optim.LBFGS(model.parameters(), lr=1, max_iter=10, line_search_fn="strong_wolfe")
loss_fn = torch.nn.BCEWithLogitsLoss()


def closure():
    optimizer.zero_grad()
    loss = loss_fn(model(Xa).squeeze(1), ya) + 0.01 * model.weight.pow(2).sum()
    loss.backward()
    return loss


for i in range(6):
    loss = optimizer.step(closure)
    print(f"outer {i}: {loss.item():.6f}")

with torch.no_grad():
    hits = ((model(Xb).squeeze(1) > 0) == yb.bool()).double().mean()
print(f"accuracy {hits.item():.4f}")
