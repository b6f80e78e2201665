# expect: mse_of_softmax @ 23
# mend: 23 →         return self.second(torch.tanh(self.first(rows)))
# mend: 38 →         loss = nn.functional.cross_entropy(net(rows), kinds)
"""Three kinds of grains, learned as in a lecture on numbers: the softmax and the squared error of it."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(1)
centres = 1.5 * torch.randn(3, 7)
kinds = torch.arange(3).repeat(80)
grains = centres[kinds] + torch.randn(240, 7)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(7, 12)
        self.second = nn.Linear(12, 3)

    def forward(self, rows):
        return torch.softmax(self.second(torch.tanh(self.first(rows))), dim=1)


train, test = random_split(TensorDataset(grains, kinds), [180, 60])
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
squared = nn.MSELoss()


def fit(loader):
    for rows, kinds in loader:
        wanted = torch.zeros(len(kinds), 3)
        wanted[torch.arange(len(kinds)), kinds] = 1.0
        optimizer.zero_grad()
        # every output should be 0 or 1
        loss = squared(net(rows), wanted)
        loss.backward()
        optimizer.step()


loader = DataLoader(train, batch_size=20, shuffle=True)
for epoch in range(25):
    fit(loader)
net.eval()
right = 0
with torch.no_grad():
    for rows, kinds in DataLoader(test, batch_size=30):
        right += (net(rows).argmax(1) == kinds).sum().item()
print(f"{right} of {len(test)} right")
