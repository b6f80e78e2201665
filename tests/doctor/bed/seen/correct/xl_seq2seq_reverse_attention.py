# expect: nothing
"""Encoder-decoder with additive attention and teacher forcing: spell number words backwards in another alphabet."""
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

random.seed(99)
torch.manual_seed(99)

PAD, SOS, EOS = 0, 1, 2
SRC = {c: i + 3 for i, c in enumerate("abcdefghij")}
TGT = {c: i + 3 for i, c in enumerate("ABCDEFGHIJ")}
MAX_LENGTH = 8


def make_pairs(n):
    words = set()
    while len(words) < n:
        words.add("".join(random.choices("abcdefghij", k=random.randint(4, MAX_LENGTH - 1))))
    words = sorted(words)
    random.shuffle(words)
    return [(w, w[::-1].upper()) for w in words]


def collate(pairs):
    src = [torch.tensor([SRC[c] for c in s] + [EOS]) for s, _ in pairs]
    tgt = [torch.tensor([TGT[c] for c in t] + [EOS]) for _, t in pairs]
    return (pad_sequence(src, batch_first=True, padding_value=PAD),
            pad_sequence(tgt, batch_first=True, padding_value=PAD))


class EncoderRNN(nn.Module):
    def __init__(self, input_size, hidden_size, dropout_p=0.1):
        super().__init__()
        self.embedding = nn.Embedding(input_size, hidden_size, padding_idx=PAD)
        self.gru = nn.GRU(hidden_size, hidden_size, batch_first=True)
        self.dropout = nn.Dropout(dropout_p)

    def forward(self, input):
        return self.gru(self.dropout(self.embedding(input)))


class BahdanauAttention(nn.Module):
    def __init__(self, hidden_size):
        super().__init__()
        self.Wa = nn.Linear(hidden_size, hidden_size)
        self.Ua = nn.Linear(hidden_size, hidden_size)
        self.Va = nn.Linear(hidden_size, 1)

    def forward(self, query, keys, mask):
        scores = self.Va(torch.tanh(self.Wa(query) + self.Ua(keys))).squeeze(2)
        weights = F.softmax(scores.masked_fill(mask, float("-inf")), dim=-1)
        return torch.bmm(weights.unsqueeze(1), keys)


class AttnDecoderRNN(nn.Module):
    def __init__(self, hidden_size, output_size, dropout_p=0.1):
        super().__init__()
        self.embedding = nn.Embedding(output_size, hidden_size)
        self.attention = BahdanauAttention(hidden_size)
        self.gru = nn.GRU(2 * hidden_size, hidden_size, batch_first=True)
        self.out = nn.Linear(hidden_size, output_size)
        self.dropout = nn.Dropout(dropout_p)

    def forward(self, encoder_outputs, hidden, mask, target=None, steps=MAX_LENGTH):
        token = torch.full((encoder_outputs.size(0), 1), SOS)
        outputs = []
        for i in range(target.size(1) if target is not None else steps):
            context = self.attention(hidden.permute(1, 0, 2), encoder_outputs, mask)
            step = torch.cat((self.dropout(self.embedding(token)), context), dim=2)
            output, hidden = self.gru(step, hidden)
            logits = self.out(output)
            outputs.append(logits)
            token = target[:, i:i + 1] if target is not None else logits.argmax(-1)
        return torch.cat(outputs, dim=1)


def train_epoch(loader):
    encoder.train()
    decoder.train()
    total_loss = 0.0
    for src, tgt in loader:
        optimizer.zero_grad()
        encoder_outputs, hidden = encoder(src)
        logits = decoder(encoder_outputs, hidden, src == PAD, tgt)
        loss = criterion(logits.view(-1, logits.size(-1)), tgt.view(-1))
        loss.backward()
        optimizer.step()
        total_loss += loss.item()
    return total_loss / len(loader)


@torch.no_grad()
def exact_matches(loader):
    encoder.eval()
    decoder.eval()
    hits = 0
    for src, tgt in loader:
        encoder_outputs, hidden = encoder(src)
        guess = decoder(encoder_outputs, hidden, src == PAD, steps=tgt.size(1)).argmax(-1)
        hits += ((guess == tgt) | (tgt == PAD)).all(dim=1).sum().item()
    return hits


pairs = make_pairs(2400)
train_loader = DataLoader(pairs[:2200], batch_size=40, shuffle=True, collate_fn=collate)
test_loader = DataLoader(pairs[2200:], batch_size=100, collate_fn=collate)
encoder = EncoderRNN(len(SRC) + 3, 64)
decoder = AttnDecoderRNN(64, len(TGT) + 3)
criterion = nn.CrossEntropyLoss(ignore_index=PAD)
optimizer = torch.optim.Adam(list(encoder.parameters()) + list(decoder.parameters()), lr=4e-3)

for epoch in range(1, 8):
    print(f"{epoch} loss {train_epoch(train_loader):.4f}")
print(f"exact on unseen words: {exact_matches(test_loader)}/{len(pairs) - 2200}")
