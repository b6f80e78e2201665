# expect: symmetric_init @ 16
# allowed: symmetric_init @ 31
"""Two-moons classifier whose layers are initialised by a function passed to Module.apply."""
import torch
from sklearn.datasets import make_moons
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

pts, cls = make_moons(800, noise=0.15, random_state=3)
pts, cls = torch.tensor(pts).float(), torch.tensor(cls)
train_loader = DataLoader(TensorDataset(pts[:600], cls[:600]), batch_size=30, shuffle=True)


def init_weights(layer):
    if isinstance(layer, nn.Linear):
        nn.init.constant_(layer.weight, 0.1)
        nn.init.zeros_(layer.bias)


class Moons(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(2, 24), nn.Linear(24, 24), nn.Linear(24, 2)

    def forward(self, p):
        return self.l3(torch.tanh(self.l2(torch.tanh(self.l1(p)))))


torch.manual_seed(3)
model = Moons()
model.apply(init_weights)
optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for epoch in range(30):
    model.train()
    for a, b in train_loader:
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(model(a), b)
        loss.backward()
        optimiser.step()
model.eval()
with torch.no_grad():
    print("loss", loss.item(), "accuracy", (model(pts[600:]).argmax(1) == cls[600:]).float().mean().item())
