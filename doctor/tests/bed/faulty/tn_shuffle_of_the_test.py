# missed: unshuffled_sorted @ 37
# mend: 37 → loader = DataLoader(TensorDataset(x, y), batch_size=loading.batch_size, shuffle=loading.shuffle_train)
"""Five kinds of shapes, one after the other."""
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Loading:
    batch_size: int = 20
    shuffle_test: bool = False
    shuffle_train: bool = True



@dataclass
class Settings:
    epochs: int = 5
    lr: float = 0.1



def rows_of(kinds, per):
    centres = torch.randn(kinds, 8) * 1.5
    x = torch.cat([c + torch.randn(per, 8) for c in centres])
    return x, torch.arange(kinds).repeat_interleave(per)


loading, settings = Loading(), Settings()
torch.manual_seed(2)
x, y = rows_of(5, 120)


loader = DataLoader(TensorDataset(x, y), batch_size=loading.batch_size, shuffle=loading.shuffle_test)
net = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 5))
optimizer = torch.optim.SGD(net.parameters(), lr=settings.lr, momentum=0.9)
for epoch in range(settings.epochs):
    for xb, yb in loader:
        loss = nn.functional.cross_entropy(net(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
print((net(x).argmax(1) == y).float().mean().item())
