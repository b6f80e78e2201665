# expect: nothing
# looks suspicious: a generator is seeded in each epoch: with seed + epoch, so every epoch has another order
# that a resumed run can repeat; the run is in fact stopped and resumed from a state kept in memory.
import io

import torch
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from torch import nn

SEED = 17
wine = load_wine()
perm = torch.randperm(178, generator=torch.Generator().manual_seed(SEED))
tr, te = perm[:138], perm[138:]
x = torch.tensor(StandardScaler().fit(wine.data[tr]).transform(wine.data), dtype=torch.float32)
y = torch.tensor(wine.target)


def build():
    torch.manual_seed(SEED)
    net = nn.Sequential(nn.Linear(13, 20), nn.ReLU(), nn.Linear(20, 3))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    return net, opt, torch.optim.lr_scheduler.StepLR(opt, 4, 0.5)


def run(net, opt, sched, start, stop):
    for epoch in range(start, stop):
        g = torch.Generator().manual_seed(SEED + epoch)
        for rows in tr[torch.randperm(len(tr), generator=g)].split(23):
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
            loss.backward()
            opt.step()
        sched.step()
        print(f"epoch {epoch} loss {loss.item():.6f}")


net, opt, sched = build()
run(net, opt, sched, 0, 5)
memory = io.BytesIO()
torch.save({"net": net.state_dict(), "opt": opt.state_dict(), "sched": sched.state_dict()}, memory)

memory.seek(0)
state = torch.load(memory)
net, opt, sched = build()
net.load_state_dict(state["net"])
opt.load_state_dict(state["opt"])
sched.load_state_dict(state["sched"])
run(net, opt, sched, 5, 10)
with torch.no_grad():
    print("accuracy", (net(x[te]).argmax(1) == y[te]).float().mean().item())
