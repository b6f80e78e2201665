# expect: nothing
"""IterableDataset stream, LBFGS calibration of a temperature afterwards, and a checkpoint reload."""
import os
import tempfile
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset


class Stream(IterableDataset):
    def __init__(self, n, seed):
        self.n, self.g = n, torch.Generator().manual_seed(seed)

    def __iter__(self):
        for _ in range(self.n):
            x = torch.randn(6, generator=self.g)
            yield x, (x[0] * x[1] + 0.5 * x[2] > 0).long()


torch.manual_seed(10)
net = nn.Sequential(nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 2))
opt = torch.optim.Adam(net.parameters(), lr=4e-3)
loader = DataLoader(Stream(1500, 0), batch_size=50)
for epoch in range(6):
    net.train()
    for x, y in loader:
        opt.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
with tempfile.TemporaryDirectory() as tmp:
    path = os.path.join(tmp, "net.pt")
    torch.save(net.state_dict(), path)
    net.load_state_dict(torch.load(path))
net.eval()
cal, test = ([torch.stack(v) for v in zip(*Stream(400, s))] for s in (1, 2))
log_t = torch.zeros((), requires_grad=True)
with torch.no_grad():
    cal_logits = net(cal[0])
cal_opt = torch.optim.LBFGS([log_t], lr=0.5, max_iter=20)


def closure():
    cal_opt.zero_grad()
    nll = nn.functional.cross_entropy(cal_logits / log_t.exp(), cal[1])
    nll.backward()
    return nll


cal_opt.step(closure)
with torch.no_grad():
    out = net(test[0]) / log_t.exp()
print("temperature", log_t.exp().item(), "acc", (out.argmax(1) == test[1]).float().mean().item())
