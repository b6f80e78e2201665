# expect: nothing
"""A HuggingFace-like loop: accumulation, scheduler per update, clipping, last odd group flushed."""

import math

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
ids = torch.randint(2, 30, (500, 14))
labels = (ids.float().mean(1) > 15.5).long()
train_dataset, eval_dataset = torch.utils.data.random_split(TensorDataset(ids, labels), [400, 100])


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.word_embeddings = nn.Embedding(30, 32, padding_idx=0)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(32, 4, 64, 0.1, activation="gelu", batch_first=True) for _ in range(2)
        )
        self.pooler = nn.Linear(32, 32)
        self.dropout = nn.Dropout(0.1)
        self.classifier = nn.Linear(32, 2)

    def forward(self, input_ids, labels=None):
        hidden = self.word_embeddings(input_ids)
        for layer in self.layers:
            hidden = layer(hidden)
        logits = self.classifier(self.dropout(torch.tanh(self.pooler(hidden.mean(1)))))
        loss = nn.functional.cross_entropy(logits, labels) if labels is not None else None
        return {"loss": loss, "logits": logits}


model = Encoder()
no_decay = ("bias", "norm")
groups = [
    {
        "params": [p for n, p in model.named_parameters() if not any(k in n for k in no_decay)],
        "weight_decay": 0.01,
    },
    {
        "params": [p for n, p in model.named_parameters() if any(k in n for k in no_decay)],
        "weight_decay": 0.0,
    },
]
optimizer = torch.optim.AdamW(groups, lr=1e-3)
accumulate, epochs = 3, 4
train_loader = DataLoader(train_dataset, batch_size=20, shuffle=True)
eval_loader = DataLoader(eval_dataset, batch_size=50)
updates = math.ceil(len(train_loader) / accumulate) * epochs
warmup = 4
scheduler = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda s: s / warmup if s < warmup else max(0.0, (updates - s) / (updates - warmup))
)
for epoch in range(epochs):
    model.train()
    for step, (input_ids, y) in enumerate(train_loader):
        loss = model(input_ids, labels=y)["loss"] / accumulate
        loss.backward()
        if (step + 1) % accumulate == 0 or step + 1 == len(train_loader):
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
    model.eval()
    right = 0
    for input_ids, y in eval_loader:
        with torch.no_grad():
            right += (model(input_ids)["logits"].argmax(-1) == y).sum().item()
    print(f"epoch {epoch} eval accuracy {right / len(eval_dataset):.3f}")
