# expect: no_step @ 13
import torch
import torch.nn.functional as F

torch.manual_seed(5)
x = torch.randn(320, 9)
y = (x[:, 0] + x[:, 1] > 0).long()
net = torch.nn.Linear(9, 2)
for epoch in range(10):
    for i in range(0, 320, 32):
        net.zero_grad()
        loss = F.cross_entropy(net(x[i : i + 32]), y[i : i + 32])
        loss.backward()
    print(epoch, loss.item())
