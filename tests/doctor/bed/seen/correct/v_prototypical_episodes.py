# expect: nothing
"""Prototypical networks: episodes of five classes, cross-entropy over negative distances."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(6)
WAY, SHOT, QUERY, DIM = 5, 3, 6, 24
mix = torch.randn(6, DIM)


def class_bank(n):
    return torch.randn(n, 6)


def episode(bank):
    pick = torch.randperm(len(bank))[:WAY]
    latent = bank[pick].unsqueeze(1) + 0.35 * torch.randn(WAY, SHOT + QUERY, 6)
    x = torch.tanh(latent @ mix) + 0.9 * torch.randn(WAY, SHOT + QUERY, DIM)
    return x[:, :SHOT], x[:, SHOT:]


class Embed(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(DIM, 64), nn.ReLU(), nn.Linear(64, 16))

    def forward(self, x):
        return self.net(x)


def episode_logits(model, support, query):
    prototypes = model(support).mean(1)
    z = model(query).flatten(0, 1)
    return -torch.cdist(z, prototypes).pow(2) / 4


labels = torch.arange(WAY).repeat_interleave(QUERY)
train_bank, test_bank = class_bank(60), class_bank(20)
model = Embed()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
sched = torch.optim.lr_scheduler.StepLR(opt, step_size=150, gamma=0.5)


@torch.no_grad()
def test_accuracy(episodes=60):
    model.eval()
    hits = 0.0
    for _ in range(episodes):
        hits += (episode_logits(model, *episode(test_bank)).argmax(1) == labels).float().mean().item()
    model.train()
    return hits / episodes


print(f"before training {test_accuracy():.3f}")
for it in range(400):
    loss = F.cross_entropy(episode_logits(model, *episode(train_bank)), labels)
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if it % 100 == 99:
        print(f"episode {it + 1} loss {loss.item():.4f} accuracy on new classes {test_accuracy():.3f}")
