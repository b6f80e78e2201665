# expect: params_not_in_optimizer @ 38
"""Fine-tuning in two phases: first the new head alone, then everything."""

import torch
from sklearn.datasets import make_classification
from torch import nn

torch.manual_seed(0)
X, y = make_classification(900, 16, n_informative=10, n_classes=4, random_state=4)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
X = (X - X.mean(0)) / X.std(0)

backbone = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
head = nn.Linear(64, 4)
model = nn.Sequential(backbone, head)
loss_fn = nn.CrossEntropyLoss()

# the principal axes stand in for pretrained weights
axes = torch.linalg.svd(X, full_matrices=False).Vh
backbone[0].weight.data.copy_(torch.cat([axes, -axes, axes, -axes]) + 0.1 * torch.randn(64, 16))


def run(epochs, title):
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(X)).split(64):
            optimizer.zero_grad()
            loss = loss_fn(model(X[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        print(f"{title} epoch {epoch} loss {total / len(X):.4f}")


for p in backbone.parameters():
    p.requires_grad = False
trainable = filter(lambda p: p.requires_grad, model.parameters())
optimizer = torch.optim.Adam(trainable, lr=2e-3)
run(3, "head")
for p in backbone.parameters():
    p.requires_grad = True
run(5, "all")
