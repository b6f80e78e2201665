# expect: nothing
# looks suspicious: opt.step() never appears in the loop; every parameter has its own optimizer that steps
# and clears inside backward (post-accumulate-grad hooks), so no gradient is ever left to see.
import torch
from torch import nn

torch.manual_seed(0)
true_w = torch.randn(12)
x = torch.randn(600, 12)
y = torch.tanh(x @ true_w) + 0.1 * torch.randn(600)
model = nn.Sequential(nn.Linear(12, 32), nn.Tanh(), nn.Linear(32, 1))

optimizers = {p: torch.optim.Adam([p], lr=5e-3, foreach=False) for p in model.parameters()}


def hook(parameter):
    optimizers[parameter].step()
    optimizers[parameter].zero_grad()


for p in model.parameters():
    p.register_post_accumulate_grad_hook(hook)

for epoch in range(10):
    perm = torch.randperm(500)
    losses = []
    for i in range(0, 500, 50):
        rows = perm[i : i + 50]
        loss = (model(x[rows]).squeeze(-1) - y[rows]).square().mean()
        loss.backward()
        losses.append(loss.item())
    print(f"epoch {epoch} mse {sum(losses) / len(losses):.4f}")

with torch.no_grad():
    print("test mse", (model(x[500:]).squeeze(-1) - y[500:]).square().mean().item())
