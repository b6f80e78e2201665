# expect: nothing
"""Behaviour cloning of a card player whose illegal moves are masked, with an entropy bonus."""
import torch
from torch import nn

MOVES, CARDS = 5, 12
g = torch.Generator().manual_seed(2)
torch.manual_seed(2)
hands = torch.randn(1500, CARDS, generator=g)
legal = torch.rand(1500, MOVES, generator=g) < 0.7
legal[torch.arange(1500), torch.randint(MOVES, (1500,), generator=g)] = True
value = hands @ torch.randn(CARDS, MOVES, generator=g)
expert = value.masked_fill(~legal, -1e9).argmax(dim=1)
fit, held = slice(0, 1200), slice(1200, None)


class Player(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(CARDS, 64), nn.ReLU(), nn.Linear(64, MOVES))

    def forward(self, hand, mask):
        return self.net(hand).masked_fill(~mask, -1e9).softmax(dim=1)


def objective(p, move, bonus=0.01):
    chosen = p.gather(1, move[:, None]).squeeze(1)
    entropy = -(p * p.clamp_min(1e-8).log()).sum(dim=1)
    return (-chosen.clamp_min(1e-8).log() - bonus * entropy).mean()


player = Player()
opt = torch.optim.Adam(player.parameters(), lr=3e-3)
for epoch in range(15):
    player.train()
    total = 0.0
    for idx in torch.randperm(1200, generator=g).split(60):
        loss = objective(player(hands[fit][idx], legal[fit][idx]), expert[fit][idx])
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(player.parameters(), 5.0)
        opt.step()
        total += loss.item() * len(idx)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: objective {total / 1200:.4f}")

player.eval()
with torch.no_grad():
    moves = player(hands[held], legal[held]).argmax(dim=1)
print(f"agreement with the expert {(moves == expert[held]).float().mean():.3f}")
