# expect: scheduler_misuse @ 76
# allowed: scheduler_misuse @ 66
import math
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)

# Which of four marker tokens occurs most often in a sequence?
N_MARK, VOCAB, SEQ_LEN = 4, 20, 20


def make(n):
    seqs, labels = [], []
    for i in range(n):
        y = i % N_MARK
        s = torch.randint(N_MARK, VOCAB, (SEQ_LEN,))
        pos = torch.randperm(SEQ_LEN)
        cuts = 0
        for m in range(N_MARK):
            k = 4 if m == y else int(torch.randint(1, 4, (1,)))
            s[pos[cuts:cuts + k]] = m
            cuts += k
        seqs.append(s)
        labels.append(y)
    return torch.stack(seqs), torch.tensor(labels)


class PositionalEncoding(nn.Module):
    def __init__(self, d, max_len=64):
        super().__init__()
        pe = torch.zeros(max_len, d)
        p = torch.arange(max_len).unsqueeze(1)
        div = torch.exp(torch.arange(0, d, 2) * (-math.log(10000.0) / d))
        pe[:, 0::2] = torch.sin(p * div)
        pe[:, 1::2] = torch.cos(p * div)
        self.register_buffer("pe", pe)

    def forward(self, x):
        return x + self.pe[: x.size(1)]


class Encoder(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.tok = nn.Embedding(VOCAB, d)
        self.pos = PositionalEncoding(d)
        layer = nn.TransformerEncoderLayer(d, 4, 64, dropout=0.0, batch_first=True)
        self.enc = nn.TransformerEncoder(layer, 1)
        self.head = nn.Linear(d, N_MARK)

    def forward(self, x):
        return self.head(self.enc(self.pos(self.tok(x))).mean(dim=1))


x_train, y_train = make(1600)
x_test, y_test = make(400)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True)

model = Encoder()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
epochs = 12
# halve the rate every five epochs
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.5)

for epoch in range(epochs):
    model.train()
    running = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
        running += loss.item() * xb.size(0)
    print(f"epoch {epoch + 1} | loss {running / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    acc = (model(x_test).argmax(1) == y_test).float().mean().item()
print(f"test accuracy {acc:.3f}")
