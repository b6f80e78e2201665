# expect: label_misaligned @ 47
# allowed: label_misaligned @ 45
# allowed: label_misaligned @ 48
# allowed: label_misaligned @ 49
# allowed: label_misaligned @ 57
"""Which motif does a DNA-like string carry?  GRU over packed sequences, training loop as a generator."""
import logging
import sys

import numpy as np
import torch
import torch.nn as nn
from torch.nn.utils import rnn as rnn_utils

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
log = logging.getLogger("motifs")

ALPHABET = "ACGT"
MOTIFS = {0: "ACGTAC", 1: "GGTTCA", 2: "TATACG"}


def sample_string(rng, motif, n):
    body = "".join(rng.choice(list(ALPHABET), n))
    at = rng.integers(0, n - len(motif) + 1)
    return body[:at] + motif + body[at + len(motif):]


def sample_data(n, seed):
    rng = np.random.default_rng(seed)
    strings, labels = [], []
    while len(strings) < n:
        label = len(strings) % 3
        s = sample_string(rng, MOTIFS[label], int(rng.integers(10, 21)))
        clean = all(MOTIFS[k] not in s for k in MOTIFS if k != label)
        if clean and s not in strings:
            strings.append(s)
            labels.append(label)
    return strings, labels


def encode(s):
    return torch.tensor([ALPHABET.index(c) + 1 for c in s])        # 0 = padding


def prepare_batch(strings, labels):
    """Longest first, as pack_padded_sequence wants it."""
    seqs = sorted((encode(s) for s in strings), key=len, reverse=True)
    lengths = torch.tensor([len(s) for s in seqs])
    return rnn_utils.pad_sequence(seqs), lengths, torch.tensor(labels)


def iterate(data, batch_size, shuffle):
    strings, labels = data
    order = torch.randperm(len(strings)).tolist() if shuffle else list(range(len(strings)))
    for i in range(0, len(order), batch_size):
        part = order[i:i + batch_size]
        yield prepare_batch([strings[j] for j in part], [labels[j] for j in part])


class MotifGRU(nn.Module):
    def __init__(self, dim=8, hidden=32):
        super().__init__()
        self.embed = nn.Embedding(len(ALPHABET) + 1, dim, padding_idx=0)
        self.conv = nn.Conv1d(dim, hidden, 6, padding="same")
        self.gru = nn.GRU(hidden, hidden)
        self.classify = nn.Linear(hidden, len(MOTIFS))

    def forward(self, padded, lengths):
        x = self.embed(padded)                                    # T, B, D
        x = torch.relu(self.conv(x.permute(1, 2, 0))).permute(2, 0, 1)
        packed = rnn_utils.pack_padded_sequence(x, lengths)
        _, h = self.gru(packed)
        return self.classify(h.squeeze(0))


def evaluate(model, data):
    was_training = model.training
    model.eval()
    correct = 0
    with torch.inference_mode():
        for padded, lengths, y in iterate(data, 100, shuffle=False):
            correct += (model(padded, lengths).argmax(-1) == y).sum().item()
    model.train(was_training)
    return correct / len(data[0])


def training(model, data, epochs, lr):
    """Yields the mean loss of each epoch."""
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    loss_fn = nn.CrossEntropyLoss()
    for _ in range(epochs):
        model.train()
        losses = []
        for padded, lengths, y in iterate(data, 32, shuffle=True):
            loss = loss_fn(model(padded, lengths), y)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        yield float(np.mean(losses))


if __name__ == "__main__":
    torch.manual_seed(64)
    strings, labels = sample_data(1200, seed=64)
    train, test = (strings[:960], labels[:960]), (strings[960:], labels[960:])
    model = MotifGRU()
    for epoch, loss in enumerate(training(model, train, epochs=6, lr=4e-3), 1):
        log.info("epoch %d  loss %.3f  train acc %.3f", epoch, loss, evaluate(model, train))
    log.info("test acc %.3f", evaluate(model, test))
