# expect: nothing
# mends: z_last_group_of_one_norm.py
"""Video clips: frames are grouped, and a lone clip passes batch norm on its own."""

import torch
from torch import nn

torch.manual_seed(40)
clips = torch.randn(65, 3, 4, 10, 10)
kinds = torch.randint(0, 2, (65,))
clips[kinds == 1, 0] += 0.8

net = nn.Sequential(
    nn.Conv3d(3, 8, 3, padding=1),
    nn.BatchNorm3d(8),
    nn.ReLU(),
    nn.AdaptiveAvgPool3d(1),
    nn.Flatten(),
    nn.Linear(8, 2),
)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
ce = nn.CrossEntropyLoss()
CLIPS_AT_ONCE = 13

for epoch in range(2):
    net.train()
    for rows in torch.randperm(65).split(CLIPS_AT_ONCE):
        optimizer.zero_grad()
        loss = ce(net(clips[rows]), kinds[rows])
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        right = (net(clips).argmax(1) == kinds).float().mean()
    print("epoch", epoch, "fit on the training clips", round(right.item(), 3))
