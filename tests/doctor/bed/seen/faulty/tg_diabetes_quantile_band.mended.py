# expect: nothing
"""80 % band for disease progression by quantile regression (pinball loss)."""
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

torch.manual_seed(11)
X, y = load_diabetes(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.25, random_state=11)
xm, xs, ym, ys = Xtr.mean(0), Xtr.std(0), ytr.mean(), ytr.std()
f32 = lambda a: torch.tensor(a, dtype=torch.float32)
xtr, xte = f32((Xtr - xm) / xs), f32((Xte - xm) / xs)
ttr, tte = f32((ytr - ym) / ys), f32((yte - ym) / ys)


def pinball(pred, obs, tau):
    err = obs - pred
    return torch.maximum(tau * err, (tau - 1) * err).mean()


def fit_quantile(tau, epochs=60):
    net = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3, weight_decay=1e-3)
    for _ in range(epochs):
        for i in torch.randperm(len(xtr)).split(64):
            loss = pinball(net(xtr[i]).squeeze(1), ttr[i], tau)
            opt.zero_grad()
            loss.backward()
            opt.step()
    return net.eval()


bands = {}
for tau in (0.1, 0.5, 0.9):
    net = fit_quantile(tau)
    with torch.no_grad():
        bands[tau] = net(xte).flatten()
    print(f"tau {tau:.1f}  pinball on held-out patients {pinball(bands[tau], tte, tau).item():.4f}")

inside = ((tte > bands[0.1]) & (tte < bands[0.9])).float().mean().item()
width = (bands[0.9] - bands[0.1]).mean().item() * ys
print(f"coverage {inside:.3f}, mean width {width:.1f}")
