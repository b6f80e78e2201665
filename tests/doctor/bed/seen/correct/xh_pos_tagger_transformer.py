# expect: nothing

"""Tagging words of a tiny grammar with nn.TransformerEncoder."""
import math
import random
import torch
from torch import nn, Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

random.seed(8)
torch.manual_seed(8)

PAD = 0
lex = {"D": ["the", "a"], "A": ["red", "old", "light"], "N": ["book", "light", "run", "dog"],
       "V": ["book", "run", "sees", "light"], "P": ["with", "near"]}
tags = ["D", "A", "N", "V", "P"]
words = sorted({w for ws in lex.values() for w in ws})
w2i = {w: i + 1 for i, w in enumerate(words)}


def sample():
    def noun_phrase():
        return ["D"] + (["A"] if random.random() < 0.5 else []) + ["N"]
    seq = noun_phrase() + ["V"] + noun_phrase()
    if random.random() < 0.4:
        seq += ["P"] + noun_phrase()
    return (torch.tensor([w2i[random.choice(lex[t])] for t in seq]),
            torch.tensor([tags.index(t) for t in seq]))


def collate(batch):
    x = pad_sequence([b[0] for b in batch], batch_first=True, padding_value=PAD)
    y = pad_sequence([b[1] for b in batch], batch_first=True, padding_value=-100)
    return x, y


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, dropout=0.1, max_len=32):
        super().__init__()
        self.dropout = nn.Dropout(p=dropout)
        position = torch.arange(max_len).unsqueeze(1)
        div = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(1, max_len, d_model)
        pe[0, :, 0::2] = torch.sin(position * div)
        pe[0, :, 1::2] = torch.cos(position * div)
        self.register_buffer("pe", pe)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(x + self.pe[:, :x.size(1)])


class Tagger(nn.Module):
    def __init__(self, d_model=32):
        super().__init__()
        self.d_model = d_model
        self.embedding = nn.Embedding(len(words) + 1, d_model, padding_idx=PAD)
        self.pos_encoder = PositionalEncoding(d_model)
        layer = nn.TransformerEncoderLayer(d_model, 4, 64, 0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.linear = nn.Linear(d_model, len(tags))

    def forward(self, src: Tensor) -> Tensor:
        h = self.pos_encoder(self.embedding(src) * math.sqrt(self.d_model))
        return self.linear(self.encoder(h, src_key_padding_mask=src == PAD))


def evaluate(model, loader):
    model.eval()
    right = total = 0
    with torch.no_grad():
        for x, y in loader:
            keep = y != -100
            right += (model(x).argmax(-1)[keep] == y[keep]).sum().item()
            total += keep.sum().item()
    return right / total


rows = [sample() for _ in range(900)]
train_dl = DataLoader(rows[:600], batch_size=30, shuffle=True, collate_fn=collate)
val_dl = DataLoader(rows[600:750], batch_size=50, collate_fn=collate)
test_dl = DataLoader(rows[750:], batch_size=50, collate_fn=collate)

model = Tagger()
criterion = nn.CrossEntropyLoss(ignore_index=-100)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.7)

for epoch in range(1, 6):
    model.train()
    total_loss = 0.0
    for x, y in train_dl:
        optimizer.zero_grad()
        loss = criterion(model(x).flatten(0, 1), y.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total_loss += loss.item()
    scheduler.step()
    print(f"epoch {epoch} | loss {total_loss / len(train_dl):.3f} | valid acc {evaluate(model, val_dl):.3f}")

print(f"test acc {evaluate(model, test_dl):.3f}")
