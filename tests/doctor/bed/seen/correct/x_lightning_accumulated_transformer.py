# needs: lightning
# expect: nothing
# looks suspicious: four backwards come before each step (accumulate_grad_batches), the schedule is stepped by
# batch, and the first updates are tiny (warm-up).
"""A small transformer that sorts out which of two symbols is in the majority; OneCycleLR by step."""

import logging
import warnings

import lightning.pytorch as pl
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, random_split

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Majority(Dataset):
    def __init__(self, n=960, length=9, generator=None):
        self.tokens = torch.randint(0, 4, (n, length), generator=generator)
        self.labels = ((self.tokens == 1).sum(1) > (self.tokens == 2).sum(1)).long()

    def __len__(self):
        return len(self.tokens)

    def __getitem__(self, i):
        return {"tokens": self.tokens[i], "label": self.labels[i]}


class Encoder(pl.LightningModule):
    def __init__(self, d=24, total_steps=60):
        super().__init__()
        self.total_steps = total_steps
        self.embed = nn.Embedding(4, d)
        self.position = nn.Parameter(torch.zeros(9, d))
        layer = nn.TransformerEncoderLayer(d, 4, 48, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1)
        self.classify = nn.Linear(d, 2)
        self.history = []

    def forward(self, tokens):
        return self.classify(self.encoder(self.embed(tokens) + self.position).mean(1))

    def training_step(self, batch, batch_idx):
        loss = F.cross_entropy(self(batch["tokens"]), batch["label"])
        self.history.append(loss.detach())
        return loss

    def validation_step(self, batch, batch_idx):
        logits = self(batch["tokens"])
        self.log("acc", (logits.argmax(-1) == batch["label"]).float().mean())

    def on_validation_epoch_end(self):
        if not self.trainer.sanity_checking and self.history:
            mean = torch.stack(self.history).mean().item()
            print(
                f"epoch {self.current_epoch} loss {mean:.4f} acc {self.trainer.callback_metrics['acc']:.3f}"
            )
            self.history.clear()

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=5e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=self.total_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


pl.seed_everything(5, verbose=False)
train, val = random_split(Majority(), [800, 160])
trainer = pl.Trainer(
    max_epochs=6,
    accumulate_grad_batches=4,
    gradient_clip_val=0.5,
    gradient_clip_algorithm="norm",
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(Encoder(), DataLoader(train, 20, shuffle=True, drop_last=True), DataLoader(val, 80))
print("steps", trainer.global_step)
