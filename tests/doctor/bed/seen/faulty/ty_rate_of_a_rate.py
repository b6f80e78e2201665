# expect: scheduler_misuse @ 10
"""Two blobs, cut by a line: the rate falls by one percent per epoch."""
import torch
import torch.nn as nn
import torch.nn.functional as F
torch.manual_seed(0)
x = torch.randn(600, 6); y = (x[:, 0] * 2 + x[:, 1] > 0).long()
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda e: 0.05 * 0.99 ** e)
for epoch in range(40):
    for i in torch.randperm(600).split(20):
        opt.zero_grad(); loss = F.cross_entropy(net(x[i]), y[i]); loss.backward(); opt.step()
    sched.step()
print(loss.item())
