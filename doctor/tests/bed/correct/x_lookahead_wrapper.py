# expect: nothing
# looks suspicious: an optimizer inside an optimizer; every fifth step pulls the weights back by .data,
# outside of any gradient; zero_grad is the wrapper's own.
from collections import defaultdict

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.optim.optimizer import Optimizer


class Lookahead(Optimizer):
    def __init__(self, base_optimizer, alpha=0.5, k=5):
        self.base_optimizer, self.alpha, self.k = base_optimizer, alpha, k
        super().__init__(base_optimizer.param_groups, {"lookahead_alpha": alpha})
        self.param_groups = base_optimizer.param_groups
        self.slow = defaultdict(dict)
        self.counter = 0

    def zero_grad(self, set_to_none=True):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.detach_()
                    p.grad.zero_()

    @torch.no_grad()
    def step(self, closure=None):
        loss = self.base_optimizer.step(closure)
        self.counter += 1
        if self.counter % self.k == 0:
            for group in self.param_groups:
                for p in group["params"]:
                    if "slow" not in self.slow[p]:
                        self.slow[p]["slow"] = p.data.clone()
                    slow = self.slow[p]["slow"]
                    slow.add_(p.data - slow, alpha=self.alpha)
                    p.data.copy_(slow)
        return loss


torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
mu, sd = X_train.mean(axis=0), X_train.std(axis=0)
X_train, X_test = (torch.tensor((part - mu) / sd, dtype=torch.float32) for part in (X_train, X_test))
y_train, y_test = (torch.tensor(part, dtype=torch.float32)[:, None] for part in (y_train, y_test))

model = nn.Sequential(nn.Linear(30, 24), nn.ReLU(), nn.Linear(24, 1))
optimizer = Lookahead(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))
criterion = nn.BCEWithLogitsLoss()
for epoch in range(6):
    total = 0.0
    for rows in torch.randperm(len(X_train)).split(32):
        optimizer.zero_grad()
        loss = criterion(model(X_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    print(f"epoch {epoch} loss {total / len(X_train):.4f}")
with torch.no_grad():
    print("test accuracy", ((model(X_test) > 0).float() == y_test).float().mean().item())
