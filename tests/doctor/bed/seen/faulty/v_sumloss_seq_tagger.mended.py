# expect: nothing
"""Tag every token of random bracket strings with its nesting depth using a bidirectional GRU."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

PAD, OPEN, CLOSE, LETTER = 0, 1, 2, 3
MAXDEPTH = 4


class Brackets(Dataset):
    def __init__(self, n, length, seed):
        g = torch.Generator().manual_seed(seed)
        self.rows = []
        for _ in range(n):
            size = int(torch.randint(length - 4, length + 1, (1,), generator=g))
            depth, toks, tags = 0, [], []
            for r in torch.rand(size, generator=g).tolist():
                if r < 0.3 and depth < MAXDEPTH:
                    tok, depth = OPEN, depth + 1
                elif r < 0.6 and depth > 0:
                    tok, depth = CLOSE, depth - 1
                else:
                    tok = LETTER
                toks.append(tok)
                tags.append(depth)
            self.rows.append((torch.tensor(toks), torch.tensor(tags)))

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i]


def collate(batch):
    xs, ys = zip(*batch)
    x = nn.utils.rnn.pad_sequence(xs, batch_first=True, padding_value=PAD)
    y = nn.utils.rnn.pad_sequence(ys, batch_first=True, padding_value=-100)
    return x, y


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(4, 12, padding_idx=PAD)
        self.gru = nn.GRU(12, 24, batch_first=True, bidirectional=True)
        self.head = nn.Linear(48, MAXDEPTH + 1)

    def forward(self, x):
        return self.head(self.gru(self.emb(x))[0])


def token_loss(logits, tags):
    per_token = nn.functional.cross_entropy(logits.transpose(1, 2), tags, ignore_index=-100, reduction="none")
    return per_token.sum() / (tags != -100).sum()


def evaluate(model, loader):
    model.eval()
    good = seen = 0
    with torch.no_grad():
        for x, y in loader:
            keep = y != -100
            good += (model(x).argmax(-1) == y)[keep].sum().item()
            seen += keep.sum().item()
    return good / seen


torch.manual_seed(11)
train_loader = DataLoader(Brackets(600, 20, 0), batch_size=32, shuffle=True, collate_fn=collate)
test_loader = DataLoader(Brackets(200, 20, 1), batch_size=100, collate_fn=collate)
model = Tagger()
opt = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
for epoch in range(12):
    model.train()
    for x, y in train_loader:
        opt.zero_grad()
        loss = token_loss(model(x), y)
        loss.backward()
        opt.step()
    if epoch % 4 == 3:
        print(f"epoch {epoch}: loss {loss.item():.3f} token accuracy {evaluate(model, test_loader):.3f}")
