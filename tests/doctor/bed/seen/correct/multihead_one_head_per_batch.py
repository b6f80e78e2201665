# expect: nothing
# looks suspicious: of three heads only one takes part in each batch, so most parameters in the optimizer
# have no gradient in most steps.
import torch
from torch import nn

torch.manual_seed(9)
tasks = {}
for name, k in (("sign", 2), ("quadrant", 4), ("ring", 3)):
    x = torch.randn(300, 2)
    if name == "sign":
        y = (x[:, 0] > 0).long()
    elif name == "quadrant":
        y = 2 * (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
    else:
        y = torch.bucketize(x.norm(dim=1), torch.tensor([0.8, 1.6]))
    tasks[name] = (x, y, k)

body = nn.Sequential(nn.Linear(2, 48), nn.ReLU())
heads = nn.ModuleDict({name: nn.Linear(48, k) for name, (_, _, k) in tasks.items()})
opt = torch.optim.Adam([*body.parameters(), *heads.parameters()], lr=1e-2)
names = list(tasks)
for step in range(240):
    name = names[step % 3]
    x, y, _ = tasks[name]
    rows = torch.randint(240, (40,))
    opt.zero_grad(set_to_none=True)
    loss = nn.functional.cross_entropy(heads[name](body(x[rows])), y[rows])
    loss.backward()
    opt.step()
    if step >= 237 or step < 3:
        print(step, name, round(loss.item(), 4))
with torch.no_grad():
    for name, (x, y, _) in tasks.items():
        print(name, (heads[name](body(x[240:])).argmax(1) == y[240:]).float().mean().item())
