# expect: nothing
"""Logistic regression on breast cancer data with LBFGS closures."""
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(1)
X, y = load_breast_cancer(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.3, random_state=1, stratify=y)
sc = StandardScaler().fit(Xa)
Xa, Xb = (torch.tensor(sc.transform(a), dtype=torch.float32) for a in (Xa, Xb))
ya, yb = (torch.tensor(a, dtype=torch.float32) for a in (ya, yb))

w = torch.zeros(30, requires_grad=True)
b = torch.zeros((), requires_grad=True)
opt = torch.optim.LBFGS([w, b], lr=1.0, max_iter=8, line_search_fn="strong_wolfe")


def objective():
    z = Xa @ w + b
    return torch.nn.functional.binary_cross_entropy_with_logits(z, ya) + 1e-2 * w.square().sum()


def closure():
    opt.zero_grad()
    loss = objective()
    loss.backward()
    return loss


for it in range(6):
    loss = opt.step(closure)
    print(f"iteration {it} objective {loss.item():.4f}")

with torch.no_grad():
    acc = (((Xb @ w + b) > 0).float() == yb).float().mean().item()
print(f"test accuracy {acc:.3f}")
