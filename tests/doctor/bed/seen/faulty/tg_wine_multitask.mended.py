# expect: nothing
"""Two heads on one trunk: the cultivar of a wine and its (standardised) colour intensity."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn


class Standardizer:
    def fit(self, a):
        self.mean, self.std = a.mean(0), a.std(0)
        return self

    def __call__(self, a):
        return (a - self.mean) / self.std


class TwoHeads(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(n_in, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh())
        self.cultivar, self.colour = nn.Linear(32, 3), nn.Linear(32, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.cultivar(h), self.colour(h).squeeze(1)


torch.manual_seed(4)
X, y = load_wine(return_X_y=True)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
X, colour = X[:, [c for c in range(13) if c != 9]], X[:, 9]
tr, te = train_test_split(torch.arange(len(X)), test_size=0.3, stratify=y, random_state=4)
scale_x, scale_c = Standardizer().fit(X[tr]), Standardizer().fit(colour[tr])
x_tr, x_te = scale_x(X[tr]), scale_x(X[te])
c_tr, c_te = scale_c(colour[tr]), scale_c(colour[te])

net = TwoHeads(X.shape[1])
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(60):
    net.train()
    for idx in torch.randperm(len(tr)).split(31):
        logits, shade = net(x_tr[idx])
        loss = F.cross_entropy(logits, y[tr][idx]) + 0.5 * F.mse_loss(shade, c_tr[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 20 == 19:
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}")

net.eval()
with torch.no_grad():
    logits, shade = net(x_te)
acc = (logits.argmax(1) == y[te]).float().mean()
print(f"cultivar accuracy {acc:.3f}, colour mse {F.mse_loss(shade, c_te):.3f}")
