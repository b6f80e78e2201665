# expect: nothing

"""A notebook-style Learner with callbacks-free one-cycle training on made-up text."""
import random
import torch
from torch import nn
from torch.utils.data import DataLoader

random.seed(10)
torch.manual_seed(10)

topics = {"sport": "goal team match coach win".split(), "money": "bank stock price tax win".split(),
          "space": "star orbit rocket moon team".split()}
common = "the a of and to is in for".split()
itos = ["xxpad"] + sorted({w for ws in topics.values() for w in ws} | set(common))
stoi = {w: i for i, w in enumerate(itos)}


def make_doc(label):
    pool = topics[list(topics)[label]]
    return [random.choice(pool if random.random() < 0.3 else common) for _ in range(random.randint(8, 16))]


items = [(make_doc(i % 3), i % 3) for i in range(900)]
random.shuffle(items)


def pad_collate(samples):
    n = max(len(d) for d, _ in samples)
    x = torch.tensor([[stoi[w] for w in d] + [0] * (n - len(d)) for d, _ in samples])
    return x, torch.tensor([l for _, l in samples])


train_dl = DataLoader(items[:700], batch_size=32, shuffle=True, collate_fn=pad_collate)
valid_dl = DataLoader(items[700:], batch_size=100, collate_fn=pad_collate)


class PoolingClassifier(nn.Module):
    def __init__(self, n_emb=16, n_hid=20):
        super().__init__()
        self.emb = nn.Embedding(len(itos), n_emb, padding_idx=0)
        self.rnn = nn.GRU(n_emb, n_hid, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(4 * n_hid, 3))

    def forward(self, x):
        mask = (x != 0).unsqueeze(-1)
        out, _ = self.rnn(self.emb(x))
        avg = (out * mask).sum(1) / mask.sum(1)
        mx = out.masked_fill(~mask, -1e4).max(1).values
        return self.head(torch.cat([avg, mx], 1))


class Learner:
    def __init__(self, model, train_dl, valid_dl, loss_func):
        self.model, self.train_dl, self.valid_dl, self.loss_func = model, train_dl, valid_dl, loss_func

    def fit_one_cycle(self, n_epoch, lr_max):
        self.opt = torch.optim.AdamW(self.model.parameters(), lr=lr_max / 25)
        self.sched = torch.optim.lr_scheduler.OneCycleLR(
            self.opt, lr_max, epochs=n_epoch, steps_per_epoch=len(self.train_dl))
        print("epoch  train_loss  valid_loss  accuracy")
        for epoch in range(n_epoch):
            tl = self.train_epoch()
            vl, acc = self.validate()
            print(f"{epoch:5d}  {tl:10.4f}  {vl:10.4f}  {acc:8.3f}")

    def train_epoch(self):
        self.model.train()
        total, n = 0.0, 0
        for xb, yb in self.train_dl:
            loss = self.loss_func(self.model(xb), yb)
            loss.backward()
            self.opt.step()
            self.sched.step()
            self.opt.zero_grad()
            total += loss.item() * len(yb)
            n += len(yb)
        return total / n

    @torch.no_grad()
    def validate(self):
        self.model.eval()
        total, hits, n = 0.0, 0, 0
        for xb, yb in self.valid_dl:
            preds = self.model(xb)
            total += self.loss_func(preds, yb).item() * len(yb)
            hits += (preds.argmax(1) == yb).sum().item()
            n += len(yb)
        return total / n, hits / n


learn = Learner(PoolingClassifier(), train_dl, valid_dl, nn.CrossEntropyLoss())
learn.fit_one_cycle(5, 1e-2)
