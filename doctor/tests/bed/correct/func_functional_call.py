# expect: nothing
# looks suspicious: the module's own parameters never receive a gradient and never change; torch.func trains a
# dictionary of copies.
import torch
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.func import functional_call, grad_and_value

torch.manual_seed(0)
wine = load_wine()
perm = torch.randperm(178)
a, b = perm[:130], perm[130:]
scaler = StandardScaler().fit(wine.data[a])
x = torch.tensor(scaler.transform(wine.data), dtype=torch.float32)
y = torch.tensor(wine.target)

net = nn.Sequential(nn.Linear(13, 24), nn.Tanh(), nn.Linear(24, 3))
params = {k: v.detach().clone() for k, v in net.named_parameters()}


def compute_loss(params, xb, yb):
    return nn.functional.cross_entropy(functional_call(net, params, (xb,)), yb)


step = grad_and_value(compute_loss)
for i in range(60):
    grads, value = step(params, x[a], y[a])
    params = {k: v - 0.3 * grads[k] for k, v in params.items()}
    if i % 15 == 0:
        print(i, float(value))

with torch.no_grad():
    print("accuracy", (functional_call(net, params, (x[b],)).argmax(1) == y[b]).float().mean().item())
