# expect: nothing
"""Training loop with hooks; a little conv net tells four drawn shapes apart."""
import torch
from torch import nn

torch.manual_seed(17)


def draw(n, size=12):
    kind = torch.arange(n) % 4
    img = torch.randn(n, 1, size, size) * 0.45
    cx, cy = torch.randint(3, size - 3, (2, n))
    for i in range(n):
        x, y = int(cx[i]), int(cy[i])
        if kind[i] == 0:
            img[i, 0, y, x - 3:x + 3] += 1
        elif kind[i] == 1:
            img[i, 0, y - 3:y + 3, x] += 1
        elif kind[i] == 2:
            img[i, 0, torch.arange(y - 3, y + 3), torch.arange(x - 3, x + 3)] += 1
        else:
            img[i, 0, torch.arange(y - 3, y + 3), torch.arange(x + 2, x - 4, -1)] += 1
    return img, kind


class Shapes(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 12, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(),
        )
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        return self.head(self.body(x))


def fit(net, data, opt, epochs, batch=32, after_batch=(), after_epoch=()):
    x, y = data
    for epoch in range(epochs):
        net.train()
        seen = 0.0
        for idx in torch.randperm(len(y)).split(batch):
            loss = nn.functional.cross_entropy(net(x[idx]), y[idx])
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
            seen += loss.item() * len(idx)
            for hook in after_batch:
                hook()
        for hook in after_epoch:
            hook()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d}  loss {seen / len(y):.4f}")


def accuracy(net, data):
    net.eval()
    with torch.no_grad():
        return (net(data[0]).argmax(1) == data[1]).float().mean().item()


train, test = draw(1200), draw(400)
net = Shapes()
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
sched = torch.optim.lr_scheduler.StepLR(opt, step_size=10, gamma=0.4)
fit(net, train, opt, epochs=25, after_epoch=[sched.step])
print(f"train {accuracy(net, train):.3f}  test {accuracy(net, test):.3f}")
