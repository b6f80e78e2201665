# expect: nothing
# looks suspicious: test rows are shifted and noised at random before the net sees them: test-time
# augmentation, the mean over views is what counts, and the plain figure is shown beside it.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Views(Dataset):
    def __init__(self, images, labels, augment):
        self.images, self.labels, self.augment = images, labels, augment

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        image = self.images[i]
        if self.augment:
            dx = int(torch.randint(-1, 2, ()))
            image = torch.roll(image, dx, dims=1) + 0.05 * torch.randn_like(image)
        return image.unsqueeze(0), self.labels[i]


torch.manual_seed(0)
d = load_digits()
images, labels = torch.tensor(d.images / 16).float(), torch.tensor(d.target)
order = torch.randperm(len(images))
train, test = order[:1400], order[1400:1600]
loader = DataLoader(Views(images[train], labels[train], True), batch_size=100, shuffle=True)
plain = DataLoader(Views(images[test], labels[test], False), batch_size=200)
augmented = DataLoader(Views(images[test], labels[test], True), batch_size=200)
net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(5):
    net.train()
    for x, y in loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")


@torch.no_grad()
def probabilities(data):
    return torch.cat([net(x).softmax(1) for x, _ in data])


net.eval()
single = probabilities(plain)
averaged = torch.stack([probabilities(augmented) for _ in range(9)]).mean(0)
for name, p in (("one view", single), ("nine views", averaged)):
    print(f"{name}: {(p.argmax(1) == labels[test]).float().mean():.3f}")
