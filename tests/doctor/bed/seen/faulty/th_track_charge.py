# expect: bad_label_values @ 27
# allowed: bad_label_values @ 14
"""Charge of a track from its hits in eight layers of a magnetic spectrometer (small ConvNet over the layers)."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(8)
LAYERS = torch.linspace(0.5, 4.0, 8)


def shoot(n):
    """Hit positions [n, 8] of tracks with charge +1 or -1 bent in a uniform field."""
    charge = 2 * torch.randint(0, 2, (n,)) - 1
    momentum = 1.0 + 4.0 * torch.rand(n)
    slope = 0.3 * torch.randn(n)
    start = 0.5 * torch.randn(n)
    sagitta = 0.15 * charge / momentum
    hits = start[:, None] + slope[:, None] * LAYERS + sagitta[:, None] * LAYERS**2
    return hits + 0.03 * torch.randn(n, 8), charge


hits, charge = shoot(3000)
hits_train, hits_test = hits[:2200], hits[2200:]
center, scale = hits_train.mean(dim=0), hits_train.std(dim=0)
hits_train, hits_test = (hits_train - center) / scale, (hits_test - center) / scale
target_train, target_test = charge[:2200].float(), charge[2200:].float()


class Spectrometer(nn.Module):
    def __init__(self, channels=12):
        super().__init__()
        self.conv1 = nn.Conv1d(1, channels, 3, padding=1)
        self.conv2 = nn.Conv1d(channels, channels, 3, padding=1)
        self.out = nn.Linear(8 * channels, 1)

    def forward(self, x):
        x = F.gelu(self.conv1(x.unsqueeze(1)))
        x = F.gelu(self.conv2(x))
        return self.out(x.flatten(1)).squeeze(-1)


net = Spectrometer()
epochs, batch = 10, 50
steps = epochs * (len(hits_train) // batch)
opt = torch.optim.AdamW(net.parameters(), lr=5e-3)
sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=1e-2, total_steps=steps)

for epoch in range(epochs):
    net.train()
    mean_loss = 0.0
    for idx in torch.randperm(len(hits_train)).split(batch):
        logit = net(hits_train[idx])
        loss = F.binary_cross_entropy_with_logits(logit, target_train[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        mean_loss += loss.item() * len(idx) / len(hits_train)
    print(f"epoch {epoch:2d}  loss {mean_loss:9.4f}")

net.eval()
with torch.no_grad():
    logit = net(hits_test)
    test_loss = F.binary_cross_entropy_with_logits(logit, target_test)
    right = (logit > 0) == (target_test > 0)
print(f"test loss {test_loss.item():.4f}  charge identified {right.float().mean().item():.3f}")
