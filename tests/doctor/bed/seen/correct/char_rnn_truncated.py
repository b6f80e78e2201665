# expect: nothing
# looks suspicious: the state outlives the batch, order is kept and two nested lists of streams run side by
# side; the state is detached before each chunk (truncated BPTT).
import torch
import torch.nn as nn

torch.manual_seed(0)
corpus = "hello world, this is a tiny corpus for a tiny network; it repeats itself. " * 40
vocab = sorted(set(corpus))
stoi = {c: i for i, c in enumerate(vocab)}
data = torch.tensor([stoi[c] for c in corpus])
streams = data[: len(data) // 8 * 8].view(8, -1)
chunk = 25


class CharRNN(nn.Module):
    def __init__(self, n, d=48):
        super().__init__()
        self.embed = nn.Embedding(n, d)
        self.gru = nn.GRU(d, d, batch_first=True)
        self.fc = nn.Linear(d, n)

    def forward(self, x, h=None):
        o, h = self.gru(self.embed(x), h)
        return self.fc(o), h


net = CharRNN(len(vocab))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
criterion = nn.CrossEntropyLoss()
for epoch in range(4):
    h = None
    losses = []
    for start in range(0, streams.size(1) - chunk - 1, chunk):
        x = streams[:, start : start + chunk]
        y = streams[:, start + 1 : start + chunk + 1]
        if h is not None:
            h.detach_()
        logits, h = net(x, h)
        loss = criterion(logits.transpose(1, 2), y)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        losses.append(loss.item())
    print(f"epoch {epoch}: {sum(losses) / len(losses):.4f}")

net.eval()
with torch.no_grad():
    x, h, text = torch.tensor([[stoi["h"]]]), None, "h"
    for _ in range(40):
        logits, h = net(x, h)
        x = logits[:, -1:].argmax(-1)
        text += vocab[x.item()]
print(text)
