# expect: nothing
# looks suspicious: gradients are thrown away right after a backward (the one that finds the adversarial
# direction), the reference predictions are taken under no_grad in train mode, most rows have no label.
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_moons


def _l2_normalize(d):
    return d / (d.flatten(1).norm(dim=1).view(-1, 1) + 1e-8)


class VATLoss(nn.Module):
    def __init__(self, xi=0.1, eps=0.3, ip=1):
        super().__init__()
        self.xi, self.eps, self.ip = xi, eps, ip

    def forward(self, model, x):
        with torch.no_grad():
            pred = F.softmax(model(x), dim=1)
        d = _l2_normalize(torch.randn_like(x))
        for _ in range(self.ip):
            d.requires_grad_()
            adv = F.kl_div(F.log_softmax(model(x + self.xi * d), dim=1), pred, reduction="batchmean")
            adv.backward()
            d = _l2_normalize(d.grad)
            model.zero_grad()
        pred_hat = model(x + self.eps * d)
        return F.kl_div(F.log_softmax(pred_hat, dim=1), pred, reduction="batchmean")


torch.manual_seed(0)
X, y = make_moons(800, noise=0.1, random_state=1)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
X_test, y_test = X[600:], y[600:]
X_unl, X_lab, y_lab = X[16:600], X[:16], y[:16]

model = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 2))
vat_loss, cross_entropy = VATLoss(), nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for i in range(1, 151):
    x_ul = X_unl[torch.randint(len(X_unl), (64,))]
    optimizer.zero_grad()
    lds = vat_loss(model, x_ul)
    classification_loss = cross_entropy(model(X_lab), y_lab)
    loss = classification_loss + 1.0 * lds
    loss.backward()
    optimizer.step()
    if i % 50 == 0:
        print(f"[{i}] CrossEntropyLoss {classification_loss.item():.4f} VATLoss {lds.item():.5f}")

model.eval()
with torch.no_grad():
    print("test accuracy", (model(X_test).argmax(1) == y_test).float().mean().item())
