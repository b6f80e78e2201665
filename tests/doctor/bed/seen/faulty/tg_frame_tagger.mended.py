# expect: nothing
"""Frame-level phone tagger: a small Transformer encoder labels each of six frames with one of six phones."""
import torch
import torch.nn.functional as F
from torch import nn

PHONES, FRAMES, BANDS = 6, 6, 10
gen = torch.Generator().manual_seed(21)
torch.manual_seed(21)

prototypes = torch.randn(PHONES, BANDS, generator=gen)
tags = torch.randint(PHONES, (1200, FRAMES), generator=gen)
feats = prototypes[tags] + 0.5 * torch.randn(1200, FRAMES, BANDS, generator=gen)
train_x, test_x = feats[:960], feats[960:]
train_y, test_y = tags[:960], tags[960:]


class Tagger(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.embed = nn.Linear(BANDS, width)
        self.pos = nn.Parameter(0.02 * torch.randn(1, FRAMES, width))
        layer = nn.TransformerEncoderLayer(width, nhead=4, dim_feedforward=64, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=1)
        self.head = nn.Linear(width, PHONES)

    def forward(self, x):
        return self.head(self.encoder(self.embed(x) + self.pos))


def batches(x, y, size, generator=None):
    order = torch.arange(len(x)) if generator is None else torch.randperm(len(x), generator=generator)
    for idx in order.split(size):
        yield x[idx], y[idx]


@torch.no_grad()
def frame_accuracy(model, x, y):
    model.eval()
    right = 0
    for xb, yb in batches(x, y, 120):
        logits = model(xb)
        right += (logits.argmax(dim=2) == yb).sum().item()
    return right / y.numel()


model = Tagger()
opt = torch.optim.AdamW(model.parameters(), lr=2e-3)
for epoch in range(8):
    model.train()
    running = 0.0
    for xb, yb in batches(train_x, train_y, 64, gen):
        loss = F.cross_entropy(model(xb).transpose(1, 2), yb)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        running += loss.item() * len(xb)
    print(f"epoch {epoch + 1} loss {running / len(train_x):.4f}")
print(f"frame accuracy {frame_accuracy(model, test_x, test_y):.3f}")
