# expect: nothing
# A data module parts its set and then gives the whole of it to the training loader. Mended.
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class SpotsModule:
    def __init__(self, validation_split=0.2, batch_size=32):
        self.validation_split, self.batch_size = validation_split, batch_size

    def setup(self):
        g = torch.Generator().manual_seed(0)
        x = torch.randn(600, 20, generator=g)
        y = (x[:, 0] * x[:, 1] + 0.8 * torch.randn(600, generator=g) > 0).long()
        self.dataset = TensorDataset(x, y)
        n_val = int(len(self.dataset) * self.validation_split)
        self.train_dataset, self.val_dataset = random_split(
            self.dataset, [len(self.dataset) - n_val, n_val], generator=torch.Generator().manual_seed(1)
        )

    def train_dataloader(self):
        return DataLoader(self.train_dataset, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_dataset, batch_size=self.batch_size)


torch.manual_seed(0)
data = SpotsModule()
data.setup()
net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(30):
    net.train()
    for x, y in data.train_dataloader():
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
    net.eval()
    hits = 0
    with torch.no_grad():
        for x, y in data.val_dataloader():
            hits += (net(x).argmax(1) == y).sum().item()
    print(epoch, hits / len(data.val_dataset))
