# expect: nothing
"""Recurrent net from scratch: character model, sequential partitioning, perplexity."""
import math
import random

import torch
from torch import nn
from torch.nn import functional as F


def make_corpus(n_sentences, seed):
    rng = random.Random(seed)
    who = ["the traveller", "the doctor", "the editor", "a quiet man", "the medical man"]
    verb = ["looked at", "spoke of", "laughed at", "thought about", "waited for"]
    what = ["the machine", "the fire", "time and space", "the garden", "his friends"]
    return " ".join(f"{rng.choice(who)} {rng.choice(verb)} {rng.choice(what)}."
                    for _ in range(n_sentences))


class Vocab:
    def __init__(self, text):
        self.idx_to_token = sorted(set(text))
        self.token_to_idx = {t: i for i, t in enumerate(self.idx_to_token)}

    def __len__(self):
        return len(self.idx_to_token)

    def encode(self, text):
        return [self.token_to_idx[c] for c in text]


def seq_data_iter_sequential(corpus, batch_size, num_steps):
    offset = random.randint(0, num_steps)
    num_tokens = ((len(corpus) - offset - 1) // batch_size) * batch_size
    Xs = corpus[offset:offset + num_tokens].reshape(batch_size, -1)
    Ys = corpus[offset + 1:offset + 1 + num_tokens].reshape(batch_size, -1)
    for i in range(0, Xs.shape[1] // num_steps * num_steps, num_steps):
        yield Xs[:, i:i + num_steps], Ys[:, i:i + num_steps]


class RNNModelScratch(nn.Module):
    def __init__(self, vocab_size, num_hiddens, sigma=0.05):
        super().__init__()
        self.vocab_size, self.num_hiddens = vocab_size, num_hiddens
        self.W_xh = nn.Parameter(torch.randn(vocab_size, num_hiddens) * sigma)
        self.W_hh = nn.Parameter(torch.randn(num_hiddens, num_hiddens) * sigma)
        self.b_h = nn.Parameter(torch.zeros(num_hiddens))
        self.W_hq = nn.Parameter(torch.randn(num_hiddens, vocab_size) * sigma)
        self.b_q = nn.Parameter(torch.zeros(vocab_size))

    def begin_state(self, batch_size):
        return torch.zeros(batch_size, self.num_hiddens)

    def forward(self, X, H):
        outputs = []
        for x in F.one_hot(X.T, self.vocab_size).float():
            H = torch.tanh(x @ self.W_xh + H @ self.W_hh + self.b_h)
            outputs.append(H @ self.W_hq + self.b_q)
        return torch.stack(outputs, dim=1), H


def grad_clipping(net, theta):
    norm = math.sqrt(sum(p.grad.pow(2).sum().item() for p in net.parameters()))
    if norm > theta:
        for p in net.parameters():
            p.grad.mul_(theta / norm)


def train_epoch(net, corpus, loss_fn, optimizer, batch_size, num_steps):
    net.train()
    state, total, count = None, 0.0, 0
    for X, Y in seq_data_iter_sequential(corpus, batch_size, num_steps):
        if state is None:
            state = net.begin_state(X.shape[0])
        else:
            state = state.detach()
        logits, state = net(X, state)
        loss = loss_fn(logits.flatten(0, 1), Y.flatten())
        optimizer.zero_grad()
        loss.backward()
        grad_clipping(net, 1.0)
        optimizer.step()
        total += loss.item() * Y.numel()
        count += Y.numel()
    return math.exp(total / count)


def predict(prefix, num_preds, net, vocab):
    net.eval()
    with torch.no_grad():
        state = net.begin_state(1)
        logits, state = net(torch.tensor([vocab.encode(prefix)]), state)
        out = prefix
        for _ in range(num_preds):
            idx = logits[0, -1].argmax(dim=0)
            out += vocab.idx_to_token[idx.item()]
            logits, state = net(idx.reshape(1, 1), state)
    return out


def perplexity(net, corpus, loss_fn):
    net.eval()
    with torch.no_grad():
        X, Y = corpus[:-1].unsqueeze(0), corpus[1:]
        logits, _ = net(X, net.begin_state(1))
        return math.exp(loss_fn(logits[0], Y).item())


random.seed(6)
torch.manual_seed(6)
train_text, valid_text = make_corpus(360, 1), make_corpus(40, 2)
vocab = Vocab(train_text)
train_ids = torch.tensor(vocab.encode(train_text))
valid_ids = torch.tensor(vocab.encode(valid_text))
net = RNNModelScratch(len(vocab), 64)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(12):
    ppl = train_epoch(net, train_ids, loss_fn, optimizer, batch_size=16, num_steps=25)
    if (epoch + 1) % 4 == 0:
        print(f"epoch {epoch + 1}: perplexity {ppl:.2f}, held-out {perplexity(net, valid_ids, loss_fn):.2f}")
        print("  ", predict("the traveller ", 30, net, vocab))
