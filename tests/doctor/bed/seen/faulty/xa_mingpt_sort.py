# expect: lr_too_high @ 78
# allowed: lr_too_high @ 102
# allowed: lr_too_high @ 126
"""Trains a tiny decoder-only transformer to sort six digits, minGPT style."""
import itertools
from collections import defaultdict

import torch
import torch.nn as nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset


class CfgNode:
    def __init__(self, **kwargs):
        self.__dict__.update(kwargs)

    def merge_from_dict(self, d):
        self.__dict__.update(d)
        return self


class SortDataset(Dataset):
    """All 3**6 strings over {0,1,2}; a fixed random third is the test part. x: unsorted + sorted[:-1]."""

    def __init__(self, split, length=6, num_digits=3):
        rows = torch.tensor(list(itertools.product(range(num_digits), repeat=length)))
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(3407))
        n_test = len(rows) // 3
        self.rows = rows[order[:n_test] if split == "test" else order[n_test:]]
        self.length, self.vocab_size, self.block_size = length, num_digits, 2 * length - 1

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, idx):
        inp = self.rows[idx]
        cat = torch.cat([inp, inp.sort().values])
        x, y = cat[:-1].clone(), cat[1:].clone()
        y[:self.length - 1] = -100                     # the unsorted half isn't to be predicted
        return x, y


class GPT(nn.Module):
    def __init__(self, vocab_size, block_size, n_embd=48, n_head=4, n_layer=2):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab_size, n_embd), nn.Embedding(block_size, n_embd)
        self.blocks = nn.ModuleList([
            nn.TransformerEncoderLayer(n_embd, n_head, 4 * n_embd, dropout=0.1, activation="gelu",
                                       batch_first=True, norm_first=True) for _ in range(n_layer)])
        self.ln_f, self.head = nn.LayerNorm(n_embd), nn.Linear(n_embd, vocab_size, bias=False)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(block_size))

    def forward(self, idx, targets=None):
        t = idx.size(1)
        x = self.tok(idx) + self.pos(torch.arange(t))
        for block in self.blocks:
            x = block(x, src_mask=self.mask[:t, :t], is_causal=True)
        logits = self.head(self.ln_f(x))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)

    @torch.no_grad()
    def generate(self, idx, n):
        for _ in range(n):
            logits, _ = self(idx)
            idx = torch.cat([idx, logits[:, -1].argmax(-1, keepdim=True)], dim=1)
        return idx


class Trainer:
    @staticmethod
    def get_default_config():
        return CfgNode(
            max_iters=None,
            batch_size=64,
            learning_rate=1e-1,
            betas=(0.9, 0.95),
            weight_decay=0.1,
            grad_norm_clip=1.0,
        )

    def __init__(self, config, model, train_dataset):
        self.config, self.model, self.dataset = config, model, train_dataset
        self.callbacks = defaultdict(list)
        self.iter_num, self.loss = 0, None

    def add_callback(self, event, fn):
        self.callbacks[event].append(fn)

    def trigger(self, event):
        for fn in self.callbacks[event]:
            fn(self)

    def batches(self):
        while True:
            yield from DataLoader(self.dataset, batch_size=self.config.batch_size, shuffle=True, drop_last=True)

    def run(self):
        c = self.config
        opt = torch.optim.AdamW(self.model.parameters(), lr=c.learning_rate, betas=c.betas,
                                weight_decay=c.weight_decay)
        self.model.train()
        for x, y in itertools.islice(self.batches(), c.max_iters):
            _, self.loss = self.model(x, y)
            self.model.zero_grad(set_to_none=True)
            self.loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), c.grad_norm_clip)
            opt.step()
            self.trigger("on_batch_end")
            self.iter_num += 1


def eval_split(model, dataset):
    model.eval()
    rows = dataset.rows
    out = model.generate(rows, dataset.length)[:, dataset.length:]
    return (out == rows.sort(dim=1).values).all(dim=1).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(3407)
    train, test = SortDataset("train"), SortDataset("test")
    model = GPT(train.vocab_size, train.block_size)
    config = Trainer.get_default_config().merge_from_dict({"max_iters": 130})
    trainer = Trainer(config, model, train)
    trainer.add_callback("on_batch_end", lambda t: t.iter_num % 25 or print(f"iter {t.iter_num}: {t.loss.item():.4f}"))
    trainer.run()
    print(f"sorted right: train {eval_split(model, train):.1%}  test {eval_split(model, test):.1%}")
