import torch
from torch import nn, optim
from torch.optim.lr_scheduler import ExponentialLR, SequentialLR, StepLR

torch.manual_seed(0)
net = nn.Linear(3, 1)
optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-4)
scheduler = SequentialLR(
    optimizer, [StepLR(optimizer, 5, 0.5), ExponentialLR(optimizer, 0.97)], milestones=[20]
)
x = torch.randn(30, 3)
y = x @ torch.tensor([[1.0], [-2.0], [0.5]])
for step in range(36):
    optimizer.zero_grad()
    loss = nn.MSELoss()(net(x), y)
    loss.backward()
    optimizer.step()
    scheduler.step()
    print("step {}  loss {:.8f}  lr {:.8f}".format(step, loss.item(), *scheduler.get_last_lr()))
