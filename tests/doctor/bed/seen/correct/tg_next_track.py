# expect: nothing
"""Next-track recommender: padded listening sessions, GRU over embeddings, padding ignored in loss and figure."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

PAD, TRACKS = 0, 20
gen = torch.Generator().manual_seed(37)
torch.manual_seed(37)
follow = torch.randint(1, TRACKS + 1, (TRACKS + 1, 2), generator=gen)


def session():
    seq = [int(torch.randint(1, TRACKS + 1, (), generator=gen))]
    for _ in range(int(torch.randint(5, 12, (), generator=gen))):
        likely = torch.rand((), generator=gen) < 0.85
        seq.append(int(follow[seq[-1], 0 if likely else 1]))
    return torch.tensor(seq)


def collate(rows):
    padded = pad_sequence(rows, batch_first=True, padding_value=PAD)
    return padded[:, :-1], padded[:, 1:]


class NextTrack(nn.Module):
    def __init__(self, dim=24):
        super().__init__()
        self.emb = nn.Embedding(TRACKS + 1, dim, padding_idx=PAD)
        self.gru = nn.GRU(dim, 40, batch_first=True)
        self.out = nn.Linear(40, TRACKS + 1)

    def forward(self, x):
        return self.out(self.gru(self.emb(x))[0])


sessions = [session() for _ in range(700)]
train = DataLoader(sessions[:560], batch_size=40, shuffle=True, collate_fn=collate, generator=gen)
test = DataLoader(sessions[560:], batch_size=70, collate_fn=collate)
net = NextTrack()
opt = torch.optim.Adam(net.parameters(), lr=6e-3)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=10, eta_min=5e-4)
for epoch in range(10):
    net.train()
    for x, nxt in train:
        loss = F.cross_entropy(net(x).flatten(0, 1), nxt.flatten(), ignore_index=PAD)
        opt.zero_grad()
        loss.backward()
        opt.step()
    sched.step()
    if epoch % 3 == 0:
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}")

net.eval()
hits = seen = 0
with torch.no_grad():
    for x, nxt in test:
        real = nxt != PAD
        hits += ((net(x).argmax(dim=-1) == nxt) & real).sum().item()
        seen += real.sum().item()
print(f"next-track accuracy {hits / seen:.3f}")
