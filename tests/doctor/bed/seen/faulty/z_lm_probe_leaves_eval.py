# expect: train_mode_never_restored @ 40
# allowed: train_mode_never_restored @ 35
# allowed: train_mode_never_restored @ 49
"""A small language model; every 40 steps the validation loss, and then on."""

import torch
from torch import nn

torch.manual_seed(2)
stream = (torch.arange(3000) ** 2 // 7) % 23
stream[::11] = torch.randint(0, 23, (273,))


def get_batch(split):
    lo, hi = (0, 2400) if split == "train" else (2400, 2980)
    start = torch.randint(lo, hi - 17, (24,))
    rows = torch.stack([stream[s : s + 17] for s in start.tolist()])
    return rows[:, :-1], rows[:, 1:]


class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb, self.drop = nn.Embedding(23, 24), nn.Dropout(0.2)
        self.lstm = nn.LSTM(24, 48, batch_first=True)
        self.out = nn.Linear(48, 23)

    def forward(self, ids):
        h, _ = self.lstm(self.drop(self.emb(ids)))
        return self.out(self.drop(h))


@torch.no_grad()
def estimate_loss():
    model.eval()
    losses = []
    for _ in range(4):
        ids, nxt = get_batch("val")
        losses.append(nn.functional.cross_entropy(model(ids).flatten(0, 1), nxt.flatten()).item())
    return sum(losses) / 4


model = LM()
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
for step in range(160):
    if step % 40 == 0:
        print(step, f"val {estimate_loss():.4f}")
    ids, nxt = get_batch("train")
    loss = nn.functional.cross_entropy(model(ids).flatten(0, 1), nxt.flatten())
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
print("train", loss.item())
