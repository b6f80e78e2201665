# expect: detached_graph @ 34
# A net with a second answer, whose loss was made a number for the log before it was added.
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(900, 12)
kind = (x[:, :3] + 0.3 * torch.randn(900, 3)).argmax(1)
depth = x[:, :1] * 2 - x[:, 1:2] + 0.1 * torch.randn(900, 1)
train_set = TensorDataset(x[:700], kind[:700], depth[:700])


class TwoHeads(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(12, width), nn.ReLU())
        self.kind, self.depth = nn.Linear(width, 3), nn.Linear(width, 1)

    def forward(self, x):
        h = self.body(x)
        return self.kind(h), self.depth(h)


net = TwoHeads()
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
log = {"kind": [], "depth": []}
for epoch in range(8):
    for xb, kb, db in DataLoader(train_set, 50, shuffle=True):
        optimizer.zero_grad()
        logits, metres = net(xb)
        loss_kind = F.cross_entropy(logits, kb)
        loss_depth = F.mse_loss(metres, db).detach().item()
        loss = loss_kind + 0.3 * loss_depth
        loss.backward()
        optimizer.step()
        log["kind"].append(loss_kind.item())
        log["depth"].append(loss_depth)
    print(epoch, sum(log["kind"][-14:]) / 14, sum(log["depth"][-14:]) / 14)

net.eval()
with torch.no_grad():
    logits, metres = net(x[700:])
    print((logits.argmax(1) == kind[700:]).float().mean().item(), F.mse_loss(metres, depth[700:]).item())
