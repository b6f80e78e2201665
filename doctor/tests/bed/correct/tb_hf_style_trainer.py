# expect: nothing
"""A Hugging Face-like Trainer: arguments as a dataclass, accumulation, warmup by steps, clipping, best checkpoint at the end."""
import os
import tempfile
from dataclasses import dataclass
from typing import Optional

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


@dataclass
class TrainingArguments:
    output_dir: str
    num_train_epochs: int = 12
    per_device_train_batch_size: int = 8
    gradient_accumulation_steps: int = 3
    learning_rate: float = 5e-3
    warmup_steps: int = 10
    max_grad_norm: float = 1.0
    seed: int = 42


@dataclass
class ModelOutput:
    logits: torch.Tensor
    loss: Optional[torch.Tensor] = None


class TumourSet(Dataset):
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return {"features": torch.tensor(self.x[i], dtype=torch.float32), "labels": int(self.y[i])}


class TumourModel(nn.Module):
    def __init__(self, n_in, hidden=32):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(n_in, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Dropout(0.2))
        self.classifier = nn.Linear(hidden, 2)

    def forward(self, features, labels=None):
        logits = self.classifier(self.backbone(features))
        return ModelOutput(logits, None if labels is None else nn.functional.cross_entropy(logits, labels))


class Trainer:
    def __init__(self, model, args, train_dataset, eval_dataset):
        self.model, self.args, self.eval_dataset = model, args, eval_dataset
        self.loader = DataLoader(train_dataset, batch_size=args.per_device_train_batch_size, shuffle=True)
        self.updates_per_epoch = -(-len(self.loader) // args.gradient_accumulation_steps)
        no_decay = [p for p in model.parameters() if p.ndim < 2]
        decay = [p for p in model.parameters() if p.ndim >= 2]
        self.optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.01}, {"params": no_decay, "weight_decay": 0.0}],
                                           lr=args.learning_rate)
        total, warm = self.updates_per_epoch * args.num_train_epochs, args.warmup_steps
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda s: (s + 1) / warm if s < warm else max(0.0, (total - s) / (total - warm)))

    def train(self):
        a, best = self.args, float("inf")
        path = os.path.join(a.output_dir, "pytorch_model.bin")
        for epoch in range(a.num_train_epochs):
            self.model.train()
            self.optimizer.zero_grad()
            for i, batch in enumerate(self.loader):
                group = min(a.gradient_accumulation_steps, len(self.loader) - i // a.gradient_accumulation_steps * a.gradient_accumulation_steps)
                (self.model(**batch).loss / group).backward()
                if (i + 1) % a.gradient_accumulation_steps == 0 or i + 1 == len(self.loader):
                    nn.utils.clip_grad_norm_(self.model.parameters(), a.max_grad_norm)
                    self.optimizer.step()
                    self.scheduler.step()
                    self.optimizer.zero_grad()
            metrics = self.evaluate(self.eval_dataset)
            if metrics["loss"] < best:
                best = metrics["loss"]
                torch.save(self.model.state_dict(), path)
            if epoch % 4 == 3:
                print({"epoch": epoch + 1, **{f"eval_{k}": round(v, 4) for k, v in metrics.items()}})
        self.model.load_state_dict(torch.load(path, weights_only=True))

    @torch.no_grad()
    def evaluate(self, dataset):
        self.model.eval()
        loss = hits = 0.0
        for batch in DataLoader(dataset, batch_size=64):
            output = self.model(**batch)
            loss += output.loss.item() * len(batch["labels"])
            hits += (output.logits.argmax(-1) == batch["labels"]).sum().item()
        return {"loss": loss / len(dataset), "accuracy": hits / len(dataset)}


if __name__ == "__main__":
    x, y = load_breast_cancer(return_X_y=True)
    x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=42)
    x_train, x_val, y_train, y_val = train_test_split(x_rest, y_rest, test_size=0.2, stratify=y_rest, random_state=42)
    mean, std = x_train.mean(0), x_train.std(0)
    sets = [TumourSet((rows - mean) / std, labels) for rows, labels in ((x_train, y_train), (x_val, y_val), (x_test, y_test))]
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(output_dir=folder)
        torch.manual_seed(args.seed)
        trainer = Trainer(TumourModel(x.shape[1]), args, sets[0], sets[1])
        trainer.train()
    print({f"test_{k}": round(v, 4) for k, v in trainer.evaluate(sets[2]).items()})
