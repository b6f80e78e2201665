# expect: nothing
# lesson notebook style: a tiny Learner with callbacks, SortishSampler and one-cycle for a text classifier
import random
from functools import partial

import torch
from torch import nn, optim, tensor
from torch.nn.utils.rnn import pack_padded_sequence
from torch.utils.data import DataLoader, Sampler

def set_seed(s): random.seed(s); torch.manual_seed(s)
set_seed(42)

# %% data: command lines for three kinds of smart-home request
ROOMS = "kitchen bedroom bathroom hall cellar garage".split()
FILL = "please could you now in the for me a bit again and then".split()
KINDS = {"light": (["switch", "turn"], ["lamp", "light", "bulb"]),
         "heat": (["set", "turn"], ["heating", "radiator", "boiler"]),
         "music": (["play", "switch"], ["song", "radio", "record"])}
cats = list(KINDS)

def mk_item():
    c = random.randrange(len(cats))
    verbs, nouns = KINDS[cats[c]]
    ws = [random.choice(verbs), random.choice(nouns), random.choice(ROOMS)] + random.choices(FILL, k=random.randint(3, 14))
    other = random.choice([k for k in cats if k != cats[c]])
    random.shuffle(ws)
    # what comes after "not" does not count
    return ws + ["not", random.choice(KINDS[other][1])], c

items = [mk_item() for _ in range(2400)]
cut1, cut2 = 1600, 2000
trn, val, tst = items[:cut1], items[cut1:cut2], items[cut2:]
itos = ["xxpad", "xxunk"] + sorted({w for ws, _ in trn for w in ws})
stoi = {w: i for i, w in enumerate(itos)}
def numericalize(its): return [([stoi.get(w, 1) for w in ws], c) for ws, c in its]

class SortishSampler(Sampler):
    "shuffle, then sort by length inside big chunks, so that batches need little padding"
    def __init__(self, ds, bs): self.ds, self.bs = ds, bs
    def __len__(self): return len(self.ds)
    def __iter__(self):
        idxs = torch.randperm(len(self.ds)).tolist()
        sz = self.bs * 10
        chunks = [sorted(idxs[i:i + sz], key=lambda j: -len(self.ds[j][0])) for i in range(0, len(idxs), sz)]
        batches = [ch[i:i + self.bs] for ch in chunks for i in range(0, len(ch), self.bs)]
        full = [b for b in batches if len(b) == self.bs]
        rest = [b for b in batches if len(b) < self.bs]
        random.shuffle(full)
        return iter([j for b in full + rest for j in b])

def pad_collate(samples, pad=0):
    n = max(len(s) for s, _ in samples)
    xs = torch.stack([tensor(s + [pad] * (n - len(s))) for s, _ in samples])
    return (xs, tensor([len(s) for s, _ in samples])), tensor([c for _, c in samples])

bs = 50
trn_ds, val_ds, tst_ds = map(numericalize, (trn, val, tst))
dl = partial(DataLoader, collate_fn=pad_collate)
trn_dl = dl(trn_ds, batch_size=bs, sampler=SortishSampler(trn_ds, bs))
val_dl, tst_dl = dl(val_ds, batch_size=bs * 2), dl(tst_ds, batch_size=bs * 2)

# %% model
class TextNet(nn.Module):
    def __init__(self, n_vocab, n_out, emb=24, nh=32, p=0.2):
        super().__init__()
        self.emb = nn.Embedding(n_vocab, emb, padding_idx=0)
        self.rnn = nn.LSTM(emb, nh, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(nn.Dropout(p), nn.Linear(2 * nh, n_out))

    def forward(self, xb):
        x, lens = xb
        packed = pack_padded_sequence(self.emb(x), lens, batch_first=True, enforce_sorted=False)
        _, (h, _) = self.rnn(packed)
        return self.head(torch.cat([h[0], h[1]], dim=1))

# %% learner
class Learner:
    def __init__(self, dls, model, loss_func, opt_func, cbs=()):
        self.trn_dl, self.val_dl = dls
        self.model, self.loss_func, self.opt_func, self.cbs = model, loss_func, opt_func, cbs

    def __call__(self, name):
        for cb in self.cbs: getattr(cb, name, lambda learn: None)(self)

    def validate(self, dl):
        self.model.eval()
        tot_loss, tot_acc, n = 0., 0., 0
        with torch.no_grad():
            for xb, yb in dl:
                preds = self.model(xb)
                tot_loss += self.loss_func(preds, yb).item() * len(yb)
                tot_acc += (preds.argmax(1) == yb).float().sum().item()
                n += len(yb)
        return tot_loss / n, tot_acc / n

    def fit_one_cycle(self, n_epochs, lr_max):
        self.opt = self.opt_func(self.model.parameters(), lr=lr_max)
        self.sched = optim.lr_scheduler.OneCycleLR(self.opt, lr_max, total_steps=n_epochs * len(self.trn_dl))
        for self.epoch in range(n_epochs):
            self.model.train()
            for xb, yb in self.trn_dl:
                self.loss = self.loss_func(self.model(xb), yb)
                self.loss.backward()
                self.opt.step()
                self.opt.zero_grad()
                self.sched.step()
                self("after_batch")
            self("after_epoch")

class Recorder:
    def __init__(self): self.lrs, self.losses = [], []
    def after_batch(self, learn):
        self.lrs.append(learn.sched.get_last_lr()[0])
        self.losses.append(learn.loss.item())
    def after_epoch(self, learn):
        vl, acc = learn.validate(learn.val_dl)
        k = len(learn.trn_dl)
        print(f"{learn.epoch}  train {sum(self.losses[-k:]) / k:.4f}  valid {vl:.4f}  accuracy {acc:.3f}")

rec = Recorder()
learn = Learner((trn_dl, val_dl), TextNet(len(itos), len(cats)), nn.CrossEntropyLoss(), optim.AdamW, [rec])
learn.fit_one_cycle(5, lr_max=1e-2)
print(f"highest rate {max(rec.lrs):.4f}; test accuracy {learn.validate(tst_dl)[1]:.3f}")
