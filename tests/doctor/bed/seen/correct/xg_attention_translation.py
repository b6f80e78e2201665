# expect: nothing
"""Translate numbers written in English words into German words, GRU with additive attention."""
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

random.seed(7)
torch.manual_seed(7)

EN1 = "one two three four five six seven eight nine".split()
DE1 = "ein zwei drei vier fünf sechs sieben acht neun".split()
EN10 = "twenty thirty forty fifty sixty seventy eighty ninety".split()
DE10 = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()


def pair(h, t, u):
    en = [EN1[h], "hundred", EN10[t], EN1[u]]
    de = [DE1[h], "hundert", DE1[u], "und", DE10[t]]
    return en, de


pairs = [pair(h, t, u) for h in range(9) for t in range(8) for u in range(9)]
pairs += [(EN1[h:h + 1] + ["hundred"] + [EN1[u]], [DE1[h], "hundert", DE1[u]]) for h in range(9) for u in range(9)]
random.shuffle(pairs)
train_pairs, test_pairs = pairs[:580], pairs[580:]

PAD, SOS, EOS = 0, 1, 2


class Lang:
    def __init__(self):
        self.word2index = {"PAD": PAD, "SOS": SOS, "EOS": EOS}

    def add(self, words):
        for w in words:
            self.word2index.setdefault(w, len(self.word2index))

    def encode(self, words):
        return torch.tensor([self.word2index[w] for w in words] + [EOS])


src_lang, tgt_lang = Lang(), Lang()
for en, de in train_pairs:
    src_lang.add(en)
    tgt_lang.add(de)


def collate(batch):
    src = pad_sequence([src_lang.encode(en) for en, _ in batch], batch_first=True, padding_value=PAD)
    tgt = pad_sequence([tgt_lang.encode(de) for _, de in batch], batch_first=True, padding_value=PAD)
    return src, tgt


class EncoderRNN(nn.Module):
    def __init__(self, n, h):
        super().__init__()
        self.embedding = nn.Embedding(n, h, padding_idx=PAD)
        self.gru = nn.GRU(h, h, batch_first=True)
        self.dropout = nn.Dropout(0.1)

    def forward(self, src):
        lengths = (src != PAD).sum(dim=1)
        out, _ = self.gru(self.dropout(self.embedding(src)))
        last = out[torch.arange(len(src)), lengths - 1]
        return out, last.unsqueeze(0)


class AttnDecoderRNN(nn.Module):
    def __init__(self, h, n):
        super().__init__()
        self.embedding = nn.Embedding(n, h)
        self.Wa, self.Ua, self.Va = nn.Linear(h, h), nn.Linear(h, h), nn.Linear(h, 1)
        self.gru = nn.GRU(2 * h, h, batch_first=True)
        self.out = nn.Linear(h, n)

    def step(self, token, hidden, keys, mask):
        query = hidden.permute(1, 0, 2)
        scores = self.Va(torch.tanh(self.Wa(query) + self.Ua(keys))).squeeze(-1)
        weights = F.softmax(scores.masked_fill(mask, -1e9), dim=-1).unsqueeze(1)
        context = torch.bmm(weights, keys)
        y, hidden = self.gru(torch.cat([self.embedding(token), context], dim=2), hidden)
        return self.out(y), hidden

    def forward(self, keys, hidden, mask, max_len, target=None):
        token = torch.full((keys.size(0), 1), SOS)
        outputs = []
        for t in range(max_len):
            logits, hidden = self.step(token, hidden, keys, mask)
            outputs.append(logits)
            token = target[:, t:t + 1] if target is not None else logits.argmax(-1)
        return torch.cat(outputs, dim=1)


encoder = EncoderRNN(len(src_lang.word2index), 48)
decoder = AttnDecoderRNN(48, len(tgt_lang.word2index))
encoder_optimizer = torch.optim.Adam(encoder.parameters(), lr=3e-3)
decoder_optimizer = torch.optim.Adam(decoder.parameters(), lr=3e-3)
criterion = nn.CrossEntropyLoss(ignore_index=PAD)
loader = DataLoader(train_pairs, batch_size=20, shuffle=True, collate_fn=collate)

for epoch in range(1, 9):
    encoder.train()
    decoder.train()
    total = 0.0
    for src, tgt in loader:
        encoder_optimizer.zero_grad()
        decoder_optimizer.zero_grad()
        keys, hidden = encoder(src)
        logits = decoder(keys, hidden, src == PAD, tgt.size(1), tgt)
        loss = criterion(logits.flatten(0, 1), tgt.flatten())
        loss.backward()
        encoder_optimizer.step()
        decoder_optimizer.step()
        total += loss.item()
    if epoch % 2 == 0:
        print(f"({epoch * 100 // 8}%) {total / len(loader):.4f}")

encoder.eval()
decoder.eval()
with torch.no_grad():
    src, tgt = collate(test_pairs)
    keys, hidden = encoder(src)
    guess = decoder(keys, hidden, src == PAD, tgt.size(1)).argmax(-1)
    whole = ((guess == tgt) | (tgt == PAD)).all(dim=1).float().mean().item()
print(f"test sentences translated exactly: {whole:.3f} of {len(test_pairs)}")
