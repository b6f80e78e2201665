# expect: nothing
# looks suspicious: backward twice through the same trunk (retain_graph) before one step: two tasks whose
# gradients are meant to be added.
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(7)
data = load_breast_cancer()
order = torch.randperm(len(data.target))
train, test = order[:420], order[420:]
scaler = StandardScaler().fit(data.data[train.numpy()])
x = torch.tensor(scaler.transform(data.data), dtype=torch.float32)
size = x[:, :1].clone()
x = x[:, 1:]
malignant = torch.tensor(data.target, dtype=torch.float32).unsqueeze(1)

trunk = nn.Sequential(nn.Linear(29, 32), nn.Tanh())
classify, regress = nn.Linear(32, 1), nn.Linear(32, 1)
params = [*trunk.parameters(), *classify.parameters(), *regress.parameters()]
opt = torch.optim.SGD(params, lr=0.1, momentum=0.9)

for epoch in range(8):
    for rows in train[torch.randperm(len(train))].split(42):
        opt.zero_grad()
        h = trunk(x[rows])
        loss_a = nn.functional.binary_cross_entropy_with_logits(classify(h), malignant[rows])
        loss_a.backward(retain_graph=True)
        loss_b = 0.5 * nn.functional.mse_loss(regress(h), size[rows])
        loss_b.backward()
        opt.step()
    print(f"epoch {epoch} bce {loss_a.item():.4f} mse {loss_b.item():.4f}")

with torch.no_grad():
    h = trunk(x[test])
    right = ((classify(h) > 0).float() == malignant[test]).float().mean()
    print(
        "test accuracy",
        round(right.item(), 4),
        "mse",
        round(nn.functional.mse_loss(regress(h), size[test]).item(), 4),
    )
