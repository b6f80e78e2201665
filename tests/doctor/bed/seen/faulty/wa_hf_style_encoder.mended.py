# expect: nothing
"""Sequence classification in the manner of the Hugging Face Trainer. Task: are the first and last token alike?"""
import random
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

PAD, LEFT, RIGHT, CLS = range(4)


@dataclass
class TrainingArguments:
    learning_rate: float = 5e-3
    weight_decay: float = 0.01
    num_train_epochs: int = 8
    per_device_train_batch_size: int = 16
    gradient_accumulation_steps: int = 2
    max_grad_norm: float = 1.0
    warmup_ratio: float = 0.1
    seed: int = 13


class Strings(Dataset):
    """Strings of two kinds of token; the label says whether it ends as it began."""

    def __init__(self, examples):
        self.examples = examples

    @staticmethod
    def draw(rng):
        return tuple(rng.choice((LEFT, RIGHT)) for _ in range(rng.randrange(7, 18, 2)))

    @classmethod
    def splits(cls, n_train, n_eval, rng):
        pool = set()                                    # every string once: no copies over the split
        while len(pool) < n_train + n_eval:
            pool.add(cls.draw(rng))
        rows = [(s, int(s[0] == s[-1])) for s in sorted(pool)]
        rng.shuffle(rows)
        return cls(rows[:n_train]), cls(rows[n_train:])

    def __len__(self):
        return len(self.examples)

    def __getitem__(self, i):
        seq, label = self.examples[i]
        return {"input_ids": torch.tensor([CLS, *seq]), "labels": label}


def collate(features):
    ids = pad_sequence([f["input_ids"] for f in features], batch_first=True, padding_value=PAD)
    return {"input_ids": ids, "attention_mask": ids != PAD, "labels": torch.tensor([f["labels"] for f in features])}


class Encoder(nn.Module):
    def __init__(self, d=32, max_len=20):
        super().__init__()
        self.tok, self.pos = nn.Embedding(4, d, padding_idx=PAD), nn.Embedding(max_len, d)
        layer = nn.TransformerEncoderLayer(d, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.enc = nn.TransformerEncoder(layer, 1, norm=nn.LayerNorm(d), enable_nested_tensor=False)
        self.classifier = nn.Linear(d, 2)

    def forward(self, input_ids, attention_mask, labels):
        h = self.tok(input_ids) + self.pos(torch.arange(input_ids.size(1)))
        h = self.enc(h, src_key_padding_mask=~attention_mask)
        m = attention_mask.unsqueeze(-1)
        logits = self.classifier((h * m).sum(1) / m.sum(1))
        return nn.functional.cross_entropy(logits, labels), logits


class Trainer:
    def __init__(self, model, args, train_dataset, eval_dataset, compute_metrics):
        self.model, self.args, self.compute_metrics = model, args, compute_metrics
        self.train_dl = DataLoader(train_dataset, args.per_device_train_batch_size, shuffle=True, collate_fn=collate, drop_last=True)
        self.eval_dl = DataLoader(eval_dataset, 64, collate_fn=collate)

    def create_optimizer_and_scheduler(self, total):
        opt = torch.optim.AdamW(self.model.parameters(), self.args.learning_rate, weight_decay=self.args.weight_decay)
        warm = int(self.args.warmup_ratio * total)
        linear = lambda s: (s + 1) / warm if s < warm else max(0.0, (total - s) / (total - warm))
        return opt, torch.optim.lr_scheduler.LambdaLR(opt, linear)

    def train(self):
        k = self.args.gradient_accumulation_steps
        opt, sched = self.create_optimizer_and_scheduler(self.args.num_train_epochs * (len(self.train_dl) // k))
        for epoch in range(self.args.num_train_epochs):
            self.model.train()
            total = 0.0
            for step, batch in enumerate(self.train_dl, 1):
                loss, _ = self.model(**batch)
                (loss / k).backward()
                total += loss.item()
                if step % k == 0:
                    nn.utils.clip_grad_norm_(self.model.parameters(), self.args.max_grad_norm)
                    opt.step()
                    sched.step()
                    opt.zero_grad()
            print({"epoch": epoch + 1, "loss": round(total / len(self.train_dl), 4)})

    @torch.no_grad()
    def evaluate(self):
        self.model.eval()
        pairs = [(self.model(**b)[1].argmax(-1), b["labels"]) for b in self.eval_dl]
        return self.compute_metrics(*map(torch.cat, zip(*pairs)))


args = TrainingArguments()
torch.manual_seed(args.seed)
train_set, eval_set = Strings.splits(960, 240, random.Random(args.seed))
trainer = Trainer(Encoder(), args, train_set, eval_set, lambda p, y: {"accuracy": (p == y).float().mean().item()})
trainer.train()
print(trainer.evaluate())
