# expect: nothing
"""Character language model with a GRU carrying its hidden state over truncated chunks."""
import random
import torch
import torch.nn as nn
import torch.nn.functional as F

WORDS = "quick brown fox jumps over lazy dog pack box five dozen liquor jugs vexingly daft zebras sphinx".split()
TEXT = " ".join(random.Random(0).choices(WORDS, k=1500))
CHARS = sorted(set(TEXT))
IDS = torch.tensor([CHARS.index(c) for c in TEXT])


class CharGRU(nn.Module):
    def __init__(self, vocab, emb=16, hidden=64):
        super().__init__()
        self.emb = nn.Embedding(vocab, emb)
        self.gru = nn.GRU(emb, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocab)

    def forward(self, x, h=None):
        y, h = self.gru(self.emb(x), h)
        return self.out(y), h


def make_streams(ids, batch, chunk):
    n = (len(ids) - 1) // batch
    x = ids[:n * batch].view(batch, n)
    y = ids[1:n * batch + 1].view(batch, n)
    for s in range(0, n - chunk + 1, chunk):
        yield x[:, s:s + chunk], y[:, s:s + chunk]


def chunk_loss(scores, target):
    return F.nll_loss(F.log_softmax(scores.flatten(0, 1), dim=-1), target.flatten())


@torch.no_grad()
def next_char_accuracy(model, ids):
    model.eval()
    scores, _ = model(ids[None, :-1])
    return (scores.argmax(-1)[0] == ids[1:]).float().mean().item()


torch.manual_seed(0)
cut = int(0.9 * len(IDS))
train_ids, valid_ids = IDS[:cut], IDS[cut:]
model = CharGRU(len(CHARS))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(8):
    model.train()
    h = None
    for x, y in make_streams(train_ids, 12, 24):
        opt.zero_grad()
        scores, h = model(x, h)
        h = h.detach()
        loss = chunk_loss(scores, y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.3f} next-char accuracy {next_char_accuracy(model, valid_ids):.3f}")
