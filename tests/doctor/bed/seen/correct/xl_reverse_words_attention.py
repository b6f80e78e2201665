# expect: nothing
"""Encoder-decoder with attention on a toy 'translation' task (reverse a word)."""
import math
import random

import torch
from torch import nn

random.seed(0)
torch.manual_seed(0)
PAD, BOS, EOS = 0, 1, 2
LETTERS = "abcdefgh"
VOCAB = 3 + len(LETTERS)
NUM_STEPS = 8


def make_words(n):
    words = set()
    while len(words) < n:
        words.add("".join(random.choices(LETTERS, k=random.randint(4, NUM_STEPS - 1))))
    words = sorted(words)
    random.shuffle(words)
    return words


def encode(word):
    ids = [3 + LETTERS.index(c) for c in word] + [EOS]
    return ids + [PAD] * (NUM_STEPS - len(ids)), len(ids)


def build_arrays(words):
    src, src_len = zip(*(encode(w) for w in words))
    tgt, _ = zip(*(encode(w[::-1]) for w in words))
    return torch.tensor(src), torch.tensor(src_len), torch.tensor(tgt)


def masked_softmax(scores, valid_lens):
    """scores: (batch, queries, keys); keys past valid_lens get no weight."""
    mask = torch.arange(scores.shape[-1])[None, None, :] < valid_lens[:, None, None]
    return nn.functional.softmax(scores.masked_fill(~mask, -1e6), dim=-1)


class DotProductAttention(nn.Module):
    def forward(self, queries, keys, values, valid_lens):
        scores = torch.bmm(queries, keys.transpose(1, 2)) / math.sqrt(queries.shape[-1])
        self.attention_weights = masked_softmax(scores, valid_lens)
        return torch.bmm(self.attention_weights, values)


class Encoder(nn.Module):
    def __init__(self, embed_size, num_hiddens):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, embed_size, padding_idx=PAD)
        self.rnn = nn.GRU(embed_size, num_hiddens, batch_first=True)

    def forward(self, X, valid_lens):
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(X), valid_lens,
                                                   batch_first=True, enforce_sorted=False)
        outputs, state = self.rnn(packed)
        outputs, _ = nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True,
                                                      total_length=NUM_STEPS)
        return outputs, state


class AttentionDecoder(nn.Module):
    def __init__(self, embed_size, num_hiddens):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, embed_size)
        self.attention = DotProductAttention()
        self.rnn = nn.GRU(embed_size + num_hiddens, num_hiddens, batch_first=True)
        self.dense = nn.Linear(num_hiddens, VOCAB)

    def forward(self, X, enc_outputs, state, valid_lens):
        outputs = []
        for x in self.embedding(X).split(1, dim=1):
            context = self.attention(state[-1].unsqueeze(1), enc_outputs, enc_outputs, valid_lens)
            out, state = self.rnn(torch.cat((context, x), dim=-1), state)
            outputs.append(out)
        return self.dense(torch.cat(outputs, dim=1)), state


def train_epoch(encoder, decoder, data, loss_fn, optimizer, batch_size=64):
    encoder.train()
    decoder.train()
    src, src_len, tgt = data
    total, tokens = 0.0, 0
    for idx in torch.randperm(len(src)).split(batch_size):
        X, lens, Y = src[idx], src_len[idx], tgt[idx]
        bos = torch.full((len(idx), 1), BOS)
        dec_input = torch.cat([bos, Y[:, :-1]], dim=1)  # teacher forcing
        enc_outputs, state = encoder(X, lens)
        Y_hat, _ = decoder(dec_input, enc_outputs, state, lens)
        loss = loss_fn(Y_hat.reshape(-1, VOCAB), Y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([*encoder.parameters(), *decoder.parameters()], 1.0)
        optimizer.step()
        n = (Y != PAD).sum().item()
        total, tokens = total + loss.item() * n, tokens + n
    return total / tokens


@torch.no_grad()
def exact_match(encoder, decoder, data):
    encoder.eval()
    decoder.eval()
    src, lens, tgt = data
    enc_outputs, state = encoder(src, lens)
    token = torch.full((len(src), 1), BOS)
    out = []
    for _ in range(NUM_STEPS):
        logits, state = decoder(token, enc_outputs, state, lens)
        token = logits.argmax(dim=-1)
        out.append(token)
    pred = torch.cat(out, dim=1)
    return ((pred == tgt) | (tgt == PAD)).all(dim=1).float().mean().item()


words = make_words(2000)
train_data, test_data = build_arrays(words[:1700]), build_arrays(words[1700:])
encoder, decoder = Encoder(16, 48), AttentionDecoder(16, 48)
loss_fn = nn.CrossEntropyLoss(ignore_index=PAD)
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.008)
for epoch in range(1, 11):
    loss = train_epoch(encoder, decoder, train_data, loss_fn, optimizer)
    if epoch % 2 == 0:
        print(f"epoch {epoch}, loss per token {loss:.3f}")
print(f"words reversed without error (test): {exact_match(encoder, decoder, test_data):.3f}")
