# expect: nothing
"""Diabetes regression fitted full-batch with LBFGS and a closure, ridge penalty added by hand."""
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

torch.manual_seed(8)
X, y = load_diabetes(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.25, random_state=8)
mx, sx, my, sy = Xa.mean(0), Xa.std(0), ya.mean(), ya.std()
Xa, Xb = [torch.tensor((v - mx) / sx, dtype=torch.float32) for v in (Xa, Xb)]
ya, yb = [torch.tensor((v - my) / sy, dtype=torch.float32).unsqueeze(1) for v in (ya, yb)]

net = nn.Sequential(nn.Linear(10, 8), nn.Tanh(), nn.Linear(8, 1))
opt = torch.optim.LBFGS(net.parameters(), lr=0.5, max_iter=8, line_search_fn="strong_wolfe")


def objective(pred, target):
    ridge = sum((p ** 2).sum() for n, p in net.named_parameters() if n.endswith("weight"))
    return nn.functional.mse_loss(pred, target) + 0.01 * ridge


for it in range(6):
    def closure():
        opt.zero_grad()
        loss = objective(net(Xa), ya)
        loss.backward()
        return loss

    value = opt.step(closure)
    print(f"iteration {it}: {value.item():.4f}")

with torch.no_grad():
    print(f"test mse {nn.functional.mse_loss(net(Xb), yb).item():.4f} (variance {yb.var().item():.4f})")
