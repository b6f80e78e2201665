# expect: nothing
# looks suspicious: scheduler.step() is inside the batch loop: OneCycleLR counts batches, its total is
# epochs x batches; the peak learning rate is high.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
d = load_digits()
data = TensorDataset(torch.tensor(d.images / 16, dtype=torch.float32).unsqueeze(1), torch.tensor(d.target))
train, val = random_split(data, [1500, 297])
train_dl = DataLoader(train, batch_size=60, shuffle=True)
val_dl = DataLoader(val, batch_size=297)
net = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    nn.BatchNorm2d(8),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(128, 10),
)
epochs = 4
opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
sched = OneCycleLR(opt, max_lr=0.3, epochs=epochs, steps_per_epoch=len(train_dl))
for epoch in range(epochs):
    net.train()
    lrs = []
    for x, y in train_dl:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        nn.utils.clip_grad_value_(net.parameters(), 0.5)
        opt.step()
        lrs.append(sched.get_last_lr()[0])
        sched.step()
    net.eval()
    with torch.no_grad():
        x, y = next(iter(val_dl))
        acc = (net(x).argmax(1) == y).float().mean().item()
    print(f"epoch {epoch} loss {loss.item():.4f} lr {min(lrs):.5f}..{max(lrs):.3f} val {acc:.4f}")
