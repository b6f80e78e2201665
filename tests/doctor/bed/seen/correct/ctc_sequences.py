# expect: nothing
# looks suspicious: log_softmax over the last of three axes with time first, label 0 never used in targets
# (it is CTC's blank) and the loss starts far above log(classes).
import torch
from torch import nn

torch.manual_seed(0)
gen = torch.Generator().manual_seed(0)
T, BLANK, SYMBOLS = 14, 0, 5
patterns = torch.randn(SYMBOLS, 6, generator=gen)


def batch(n):
    frames = 0.2 * torch.randn(T, n, 6, generator=gen)
    targets, lengths = [], []
    for b in range(n):
        k = int(torch.randint(2, 5, (), generator=gen))
        symbols = torch.randperm(SYMBOLS - 1, generator=gen)[:k] + 1
        for j, s in enumerate(symbols.tolist()):
            frames[3 * j + 1 : 3 * j + 3, b] += patterns[s]
        targets.append(symbols)
        lengths.append(k)
    return frames, torch.cat(targets), torch.full((n,), T), torch.tensor(lengths)


class Recogniser(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(6, 24)
        self.out = nn.Linear(24, SYMBOLS)

    def forward(self, x):
        return self.out(self.rnn(x)[0]).log_softmax(dim=2)


net = Recogniser()
ctc = nn.CTCLoss(blank=BLANK)
opt = torch.optim.Adam(net.parameters(), lr=2e-2)
for step in range(70):
    frames, targets, in_len, out_len = batch(32)
    loss = ctc(net(frames), targets, in_len, out_len)
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    opt.step()
    if step % 14 == 0:
        print(step, f"{loss.item():.4f}")

net.eval()
with torch.no_grad():
    frames, targets, _, out_len = batch(100)
    paths = net(frames).argmax(dim=2).t()
right, at = 0, 0
for path, k in zip(paths, out_len.tolist(), strict=True):
    decoded = [s for s in torch.unique_consecutive(path).tolist() if s != BLANK]
    right += decoded == targets[at : at + k].tolist()
    at += k
print("sequences right", right / 100)
