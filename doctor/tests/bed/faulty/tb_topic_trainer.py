# expect: scheduler_misuse @ 61
# allowed: scheduler_misuse @ 63
# allowed: scheduler_misuse @ 75
# mend: 61 →         max_steps = self.args.num_train_epochs * len(self.train_loader)
"""Topics of made-up headlines with an EmbeddingBag and a Trainer with linear warmup and decay, after the Hugging Face one."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

TOPICS = {
    "sport": "match goal team coach season striker league cup injury referee".split(),
    "money": "bank shares profit market loan stocks rates budget investor tax".split(),
    "science": "cell planet laser gene orbit virus probe fossil quantum lab".split(),
}
COMMON = "the a new after before says first big small week today plan report over under old man city house".split()


@dataclass
class TrainingArguments:
    num_train_epochs: int = 8
    per_device_train_batch_size: int = 16
    learning_rate: float = 1e-2
    warmup_ratio: float = 0.1
    weight_decay: float = 0.01
    seed: int = 42


def headlines(n, rng):
    names = list(TOPICS)
    rows = []
    for _ in range(n):
        label = int(rng.integers(3))
        other = names[(label + int(rng.integers(1, 3))) % 3]
        words = list(rng.choice(TOPICS[names[label]], 2)) + [rng.choice(TOPICS[other])] + list(rng.choice(COMMON, 5))
        rng.shuffle(words)
        rows.append((words, label))
    return rows


def get_linear_schedule_with_warmup(optimizer, num_warmup_steps, num_training_steps):
    def factor(step):
        if step < num_warmup_steps:
            return (step + 1) / (num_warmup_steps + 1)
        return max(0.0, (num_training_steps - step) / max(1, num_training_steps - num_warmup_steps))
    return LambdaLR(optimizer, factor)


class Trainer:
    def __init__(self, model, args, train_dataset, eval_dataset, data_collator):
        self.model, self.args = model, args
        self.train_loader = DataLoader(train_dataset, args.per_device_train_batch_size, shuffle=True, collate_fn=data_collator)
        self.eval_loader = DataLoader(eval_dataset, 64, collate_fn=data_collator)

    def create_optimizer_and_scheduler(self):
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=self.args.learning_rate,
                                           weight_decay=self.args.weight_decay)
        max_steps = self.args.num_train_epochs
        self.lr_scheduler = get_linear_schedule_with_warmup(
            self.optimizer, int(self.args.warmup_ratio * max_steps), max_steps)

    def train(self):
        self.create_optimizer_and_scheduler()
        for epoch in range(self.args.num_train_epochs):
            self.model.train()
            logged = []
            for tokens, offsets, labels in self.train_loader:
                loss = nn.functional.cross_entropy(self.model(tokens, offsets), labels)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                self.lr_scheduler.step()
                logged.append(loss.item())
            print({"epoch": epoch + 1, "loss": round(float(np.mean(logged)), 4)})

    @torch.no_grad()
    def evaluate(self):
        self.model.eval()
        hits = torch.cat([self.model(t, o).argmax(-1) == y for t, o, y in self.eval_loader])
        return {"eval_accuracy": round(hits.float().mean().item(), 4)}


class BagClassifier(nn.Module):
    def __init__(self, vocab_size, dim=24):
        super().__init__()
        self.bag = nn.EmbeddingBag(vocab_size, dim, mode="mean")
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(dim, len(TOPICS))

    def forward(self, tokens, offsets):
        return self.out(self.drop(self.bag(tokens, offsets)))


args = TrainingArguments()
torch.manual_seed(args.seed)
rng = np.random.default_rng(args.seed)
train_rows, eval_rows = headlines(480, rng), headlines(240, rng)
vocab = {w: i for i, w in enumerate(sorted(set(sum(TOPICS.values(), COMMON))))}


def collate(rows):
    ids = [torch.tensor([vocab[w] for w in words]) for words, _ in rows]
    offsets = torch.tensor([0] + [len(i) for i in ids[:-1]]).cumsum(0)
    return torch.cat(ids), offsets, torch.tensor([label for _, label in rows])


trainer = Trainer(BagClassifier(len(vocab)), args, train_rows, eval_rows, collate)
trainer.train()
print(trainer.evaluate())
