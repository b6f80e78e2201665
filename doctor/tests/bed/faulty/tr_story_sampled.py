# missed: missing_eval @ 29
# mend: 29 →         self.eval()
"""Character GRU with dropout: after each epoch it writes a line, then goes on training."""

import torch
import torch.nn.functional as F
from torch import nn

text = "she sells sea shells by the sea shore and the shells she sells are sea shells " * 15
vocab = sorted(set(text))
ids = torch.tensor([vocab.index(c) for c in text])


class Writer(nn.Module):
    def __init__(self, n, width=48):
        super().__init__()
        self.embed = nn.Embedding(n, 16)
        self.drop = nn.Dropout(0.3)
        self.gru = nn.GRU(16, width, batch_first=True)
        self.head = nn.Linear(width, n)

    def forward(self, x, h=None):
        out, h = self.gru(self.drop(self.embed(x)), h)
        return self.head(self.drop(out)), h

    @torch.no_grad()
    def write(self, start="she", length=40):
        was = self.training
        self.train()
        x, h, story = torch.tensor([[vocab.index(c) for c in start]]), None, start
        for _ in range(length):
            logits, h = self(x, h)
            x = torch.multinomial(F.softmax(logits[:, -1] / 0.7, dim=-1), 1)
            story += vocab[x.item()]
        self.train(was)
        return story


torch.manual_seed(9)
net = Writer(len(vocab))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
T = 25
for epoch in range(4):
    total, h = 0.0, None
    blocks = ids[: (len(ids) - 1) // (4 * T) * 4 * T].view(4, -1)
    shifted = ids[1 : blocks.numel() + 1].view(4, -1)
    for i in range(0, blocks.shape[1], T):
        logits, h = net(blocks[:, i : i + T], h)
        h = h.detach()
        loss = F.cross_entropy(logits.flatten(0, 1), shifted[:, i : i + T].flatten())
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    print(f"epoch {epoch} loss {total / (blocks.shape[1] // T):.4f}: {net.write()}")
