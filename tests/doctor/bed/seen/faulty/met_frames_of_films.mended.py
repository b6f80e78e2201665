# expect: nothing
# Frames of films, nearly equal in a film, are parted at random. Mended.
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
films, frames = 60, 12
scene = torch.randn(films, 1, 30)
label = torch.randint(0, 2, (films, 1))
x = (scene + 0.01 * torch.randn(films, frames, 30))
y = label.expand(-1, frames)
train_set = TensorDataset(x[:48].reshape(-1, 30), y[:48].reshape(-1))
valid_set = TensorDataset(x[48:].reshape(-1, 30), y[48:].reshape(-1))

net = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(15):
    net.train()
    for frame, kind in DataLoader(train_set, 32, shuffle=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(frame), kind)
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        right = sum((net(f).argmax(1) == k).sum().item() for f, k in DataLoader(valid_set, 144))
    print(epoch, right / 144)
