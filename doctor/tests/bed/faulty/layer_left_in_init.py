# expect: layer_never_used @ 21
# mend: 27 →         return self.score(torch.relu(self.deep(hidden)))
"""House prices by hand-made columns: a regressor that grew a third layer, in __init__ alone."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(4)
rooms = torch.randint(1, 8, (400, 1)).float()
garden = torch.rand(400, 3)
table = torch.cat([(rooms - 4) / 2, garden], dim=1)
price = rooms / 4 + garden.sum(1, keepdim=True) * torch.sigmoid(rooms - 4)


class Prices(nn.Module):
    """Two hidden layers, and a score."""

    def __init__(self):
        super().__init__()
        self.wide = nn.Linear(4, 32)
        self.deep = nn.Linear(32, 32)
        self.score = nn.Linear(32, 1)

    def forward(self, columns):
        """A price for each row."""
        hidden = torch.relu(self.wide(columns))
        return self.score(hidden)


model = Prices()
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
loader = DataLoader(TensorDataset(table[:300], price[:300]), batch_size=50, shuffle=True)
for _ in range(6):
    for columns, target in loader:
        loss = nn.functional.mse_loss(model(columns), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
with torch.no_grad():
    print("test loss", nn.functional.mse_loss(model(table[300:]), price[300:]).item())
