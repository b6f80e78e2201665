# expect: nothing
"""Word-model style LSTM: carried hidden state detached between chunks, clip 0.25 and SGD lr 20."""
import torch
from torch import nn

torch.manual_seed(6)
pattern = torch.randint(0, 12, (40,))
stream = pattern.repeat(60)[:2400].view(8, 300).t().contiguous()


class WordLM(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(12, 24)
        self.lstm = nn.LSTM(24, 48)
        self.dec = nn.Linear(48, 12)

    def forward(self, s, hidden):
        out, hidden = self.lstm(self.emb(s), hidden)
        return self.dec(out), hidden


net = WordLM()
opt = torch.optim.SGD(net.parameters(), lr=20.0)
for epoch in range(8):
    net.train()
    hidden, total = None, 0.0
    for i in range(0, 220, 20):
        if hidden is not None:
            hidden = tuple(h.detach() for h in hidden)
        out, hidden = net(stream[i:i + 20], hidden)
        loss = nn.functional.cross_entropy(out.flatten(0, 1), stream[i + 1:i + 21].flatten())
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.25)
        opt.step()
        total += loss.item()
    print(epoch, total / 11)
net.eval()
with torch.no_grad():
    out, _ = net(stream[220:299], None)
    print("test", nn.functional.cross_entropy(out.flatten(0, 1), stream[221:300].flatten()).item())
