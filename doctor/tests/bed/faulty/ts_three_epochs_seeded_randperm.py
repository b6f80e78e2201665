# expect: seed_reset_each_epoch @ 24
# mend: 24 →     for rows in torch.randperm(len(x)).split(64):
# looks suspicious: in the second half the optimizer owns an image and none of the network's parameters, and
# the network is in eval mode while backward runs (feature visualisation).
import torch
from sklearn.datasets import load_digits
from torch import nn, optim

torch.manual_seed(0)
bunch = load_digits()
x = torch.tensor(bunch.images / 16, dtype=torch.float32).unsqueeze(1)
y = torch.tensor(bunch.target)
net = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Dropout(0.1),
    nn.Flatten(),
    nn.Linear(128, 10),
)
opt = optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(3):
    net.train()
    for rows in torch.randperm(len(x), generator=torch.Generator().manual_seed(7)).split(64):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        opt.step()
    print("epoch", epoch, "loss", round(loss.item(), 4))

net.eval().requires_grad_(False)
image = torch.full((1, 1, 8, 8), 0.5, requires_grad=True)
painter = optim.Adam([image], lr=0.05)
for _step in range(40):
    painter.zero_grad()
    score = net(image)[0, 3]
    (-score + 0.05 * image.square().sum()).backward()
    painter.step()
    with torch.no_grad():
        image.clamp_(0, 1)
with torch.no_grad():
    probability = net(image).softmax(1)[0, 3].item()
print("score of class 3:", round(score.item(), 3), "probability", probability)
