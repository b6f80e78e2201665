# expect: nothing
"""Blog post: softmax regression from zero weights, fitted with LBFGS on the wine table."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

X, y = load_wine(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, random_state=8, stratify=y)
scaler = StandardScaler()
X_tr = torch.tensor(scaler.fit_transform(X_tr), dtype=torch.float32)
X_te = torch.tensor(scaler.transform(X_te), dtype=torch.float32)
y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)

weights = torch.zeros(X_tr.shape[1], 3, requires_grad=True)
bias = torch.zeros(3, requires_grad=True)
optimizer = torch.optim.LBFGS([weights, bias], lr=1.0, max_iter=10, line_search_fn="strong_wolfe")


def logits(x):
    return x @ weights + bias


def objective():
    # the ridge term keeps the convex problem's solution finite
    return F.cross_entropy(logits(X_tr), y_tr) + 1e-3 * weights.square().sum()


def closure():
    optimizer.zero_grad()
    value = objective()
    value.backward()
    return value


for sweep in range(5):
    value = optimizer.step(closure)
    print(f"sweep {sweep}: objective at its start {value.item():.4f}")

with torch.no_grad():
    accuracy = (logits(X_te).argmax(dim=1) == y_te).float().mean().item()
print(f"test accuracy {accuracy:.3f}")
