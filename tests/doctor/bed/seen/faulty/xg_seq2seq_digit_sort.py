# expect: no_step @ 74
# allowed: no_step @ 62
# allowed: no_step @ 73
# Encoder-decoder that writes the digits of its input in ascending order
import random

import torch
import torch.nn as nn
import torch.nn.functional as F

random.seed(1)
torch.manual_seed(1)

SOS = 10
LENGTH = 5
HIDDEN = 48


def make_pairs(n, banned=()):
    banned = set(banned)
    pairs = set()
    while len(pairs) < n:
        digits = tuple(random.randrange(10) for _ in range(LENGTH))
        if digits not in banned:
            pairs.add(digits)
    return sorted(pairs, key=lambda _: random.random())


def to_tensors(seqs):
    src = torch.tensor(seqs)
    return src, src.sort(dim=1).values


class EncoderRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, HIDDEN)
        self.gru = nn.GRU(HIDDEN, HIDDEN, batch_first=True)

    def forward(self, src):
        return self.gru(self.embedding(src))


class DecoderRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, HIDDEN)
        self.gru = nn.GRU(HIDDEN, HIDDEN, batch_first=True)
        self.out = nn.Linear(HIDDEN, 10)

    def forward(self, tokens, hidden):
        y, hidden = self.gru(self.embedding(tokens), hidden)
        return self.out(y), hidden


train_seqs = make_pairs(4000)
test_seqs = make_pairs(500, banned=train_seqs)
src_train, tgt_train = to_tensors(train_seqs)
src_test, tgt_test = to_tensors(test_seqs)

encoder, decoder = EncoderRNN(), DecoderRNN()
encoder_optimizer = torch.optim.Adam(encoder.parameters(), lr=5e-3)
decoder_optimizer = torch.optim.Adam(decoder.parameters(), lr=5e-3)


def train_step(src, tgt):
    encoder_optimizer.zero_grad()
    decoder_optimizer.zero_grad()
    _, hidden = encoder(src)
    start = torch.full((len(src), 1), SOS)
    logits, _ = decoder(torch.cat([start, tgt[:, :-1]], dim=1), hidden)
    loss = F.cross_entropy(logits.reshape(-1, 10), tgt.reshape(-1))
    loss.backward()
    decoder_optimizer.step()
    return loss.item()


@torch.no_grad()
def greedy(src):
    _, hidden = encoder(src)
    token, written = torch.full((len(src), 1), SOS), []
    for _ in range(LENGTH):
        logits, hidden = decoder(token, hidden)
        token = logits.argmax(dim=2)
        written.append(token)
    return torch.cat(written, dim=1)


for epoch in range(8):
    order = torch.randperm(len(src_train))
    losses = [train_step(src_train[b], tgt_train[b]) for b in order.split(64)]
    print(f"{epoch + 1:2d} loss {sum(losses) / len(losses):.4f}")

encoder.eval()
decoder.eval()
guess = greedy(src_test)
print("digits right   ", round((guess == tgt_test).float().mean().item(), 4))
print("sequences right", round((guess == tgt_test).all(dim=1).float().mean().item(), 4))
