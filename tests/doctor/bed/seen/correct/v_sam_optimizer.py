# expect: nothing
"""Sharpness-aware minimisation as an optimizer wrapper: two backward passes per batch."""
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class SAM(torch.optim.Optimizer):
    def __init__(self, params, base, rho=0.05, **kw):
        super().__init__(params, dict(rho=rho, **kw))
        self.base = base(self.param_groups, **kw)

    @torch.no_grad()
    def climb(self):
        grads = [p.grad for g in self.param_groups for p in g["params"] if p.grad is not None]
        norm = torch.stack([g.norm() for g in grads]).norm() + 1e-12
        for g in self.param_groups:
            for p in g["params"]:
                if p.grad is not None:
                    e = p.grad * (g["rho"] / norm)
                    p.add_(e)
                    self.state[p]["e"] = e
        self.zero_grad()

    @torch.no_grad()
    def descend(self):
        for g in self.param_groups:
            for p in g["params"]:
                if "e" in self.state[p]:
                    p.sub_(self.state[p].pop("e"))
        self.base.step()
        self.zero_grad()

    def step(self, closure):
        self.climb()
        with torch.enable_grad():
            closure()
        self.descend()


torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.3, random_state=1, stratify=y)
scaler = StandardScaler().fit(Xa)
f32 = lambda a: torch.tensor(scaler.transform(a), dtype=torch.float32)
loader = DataLoader(TensorDataset(f32(Xa), torch.tensor(ya)), batch_size=31, shuffle=True)
model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
sam = SAM(model.parameters(), torch.optim.SGD, lr=0.05, momentum=0.9)
for epoch in range(25):
    model.train()
    for x, t in loader:
        def closure():
            loss = nn.functional.cross_entropy(model(x), t)
            loss.backward()
            return loss

        value = closure().item()
        sam.step(closure)
model.eval()
with torch.no_grad():
    acc = (model(f32(Xb)).argmax(1) == torch.tensor(yb)).float().mean().item()
print(f"last loss {value:.4f} test accuracy {acc:.3f}")
