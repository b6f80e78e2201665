# expect: nothing
# looks suspicious: all milestones are passed early, in batches: they are numbers of updates of one long pass
# without any epochs, after which a small rate is meant to polish.
import torch
from torch import nn

torch.manual_seed(0)
source = torch.randn(6, 1)
net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
rate = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[60, 90], gamma=0.3)
for step in range(700):
    x = torch.randn(32, 6)
    y = (x @ source).sin()
    loss = nn.functional.mse_loss(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    rate.step()
    if step % 100 == 99:
        print(step + 1, round(loss.item(), 4))
