# expect: nothing
# looks suspicious: each row's gradient is clipped hard and noise is added before the step, p.grad is
# written by hand: differentially private SGD.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.func import functional_call, grad, vmap

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
perm = torch.randperm(len(y))
tr, te = perm[:1500], perm[1500:]
net = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))
opt = torch.optim.SGD(net.parameters(), lr=1.0, momentum=0.5)
CLIP, NOISE = 0.5, 0.6


def one_loss(params, xi, yi):
    return nn.functional.cross_entropy(functional_call(net, params, (xi.unsqueeze(0),)), yi.unsqueeze(0))


per_sample = vmap(grad(one_loss), in_dims=(None, 0, 0))
for epoch in range(5):
    for rows in tr[torch.randperm(1500)].split(100):
        params = {k: v.detach() for k, v in net.named_parameters()}
        grads = per_sample(params, x[rows], y[rows])
        norms = torch.stack([g.flatten(1).norm(dim=1) for g in grads.values()]).norm(dim=0)
        factor = (CLIP / (norms + 1e-6)).clamp(max=1.0)
        for name, p in net.named_parameters():
            clipped = torch.einsum("b,b...->...", factor, grads[name])
            p.grad = (clipped + CLIP * NOISE * torch.randn_like(p)) / len(rows)
        opt.step()
    with torch.no_grad():
        loss = nn.functional.cross_entropy(net(x[tr]), y[tr]).item()
    print(f"epoch {epoch} train loss {loss:.4f} rows clipped {(factor < 1).float().mean().item():.2f}")
with torch.no_grad():
    print("accuracy", (net(x[te]).argmax(1) == y[te]).float().mean().item())
