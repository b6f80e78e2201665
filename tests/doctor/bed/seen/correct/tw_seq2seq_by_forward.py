# expect: nothing
"""Tutorial part 4: an encoder and a decoder learn to spell words backwards."""
import random

import torch
import torch.nn as nn
import torch.nn.functional as F

SOS, ALPHABET, LENGTH = 0, "abcdefgh", 4
device = torch.device("cpu")
random.seed(7)
torch.manual_seed(7)


class EncoderRNN(nn.Module):
    def __init__(self, vocab, hidden):
        super().__init__()
        self.embedding = nn.Embedding(vocab, 24)
        self.gru = nn.GRU(24, hidden, batch_first=True)

    def forward(self, words):
        _, hidden = self.gru(self.embedding(words))
        return hidden


class DecoderRNN(nn.Module):
    def __init__(self, vocab, hidden):
        super().__init__()
        self.embedding = nn.Embedding(vocab, 24)
        self.gru = nn.GRU(24, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocab)

    def forward(self, tokens, hidden):
        output, hidden = self.gru(self.embedding(tokens), hidden)
        return self.out(output), hidden


def prepare_data():
    seen = set()
    while len(seen) < 3000:
        seen.add("".join(random.choice(ALPHABET) for _ in range(LENGTH)))
    words = sorted(seen)
    random.shuffle(words)
    ids = torch.tensor([[ALPHABET.index(c) + 1 for c in w] for w in words])
    return ids[:2500], ids[2500:]


def train_step(source, encoder, decoder, encoder_optimizer, decoder_optimizer):
    encoder_optimizer.zero_grad()
    decoder_optimizer.zero_grad()
    target = source.flip(1)
    start = torch.full((len(source), 1), SOS)
    logits, _ = decoder.forward(torch.cat([start, target[:, :-1]], dim=1), encoder.forward(source))
    loss = F.cross_entropy(logits.reshape(-1, logits.size(-1)), target.reshape(-1))
    loss.backward()
    encoder_optimizer.step()
    decoder_optimizer.step()
    return loss.item()


@torch.no_grad()
def spell(source, encoder, decoder):
    hidden = encoder.forward(source)
    token = torch.full((len(source), 1), SOS)
    letters = []
    for _ in range(LENGTH):
        logits, hidden = decoder.forward(token, hidden)
        token = logits.argmax(dim=-1)
        letters.append(token)
    return torch.cat(letters, dim=1)


train_words, test_words = prepare_data()
encoder = EncoderRNN(len(ALPHABET) + 1, 64).to(device)
decoder = DecoderRNN(len(ALPHABET) + 1, 64).to(device)
encoder_optimizer = torch.optim.Adam(encoder.parameters(), lr=5e-3)
decoder_optimizer = torch.optim.Adam(decoder.parameters(), lr=5e-3)

for epoch in range(1, 11):
    total = 0.0
    order = torch.randperm(len(train_words))
    for chunk in order.split(64):
        total += train_step(train_words[chunk], encoder, decoder, encoder_optimizer, decoder_optimizer) * len(chunk)
    print(f"epoch {epoch:2d}  loss {total / len(train_words):.4f}")

encoder.eval()
decoder.eval()
answers = spell(test_words, encoder, decoder)
whole = (answers == test_words.flip(1)).all(dim=1).float().mean().item()
print(f"test words spelled backwards without an error: {whole:.3f}")
