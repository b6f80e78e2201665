# expect: nothing
# Recurrent neural network language model, step by step (sequential partitioning, detached state)
import math
import random

import torch
from torch import nn
from torch.nn import functional as F

random.seed(0)
torch.manual_seed(0)

SENTENCES = ["the traveller went back in time", "the time machine stood still", "a man saw the future",
             "the machine went forward", "time is a kind of space", "the future is still dark"]


class Vocab:
    def __init__(self, text):
        self.idx_to_token = ["<unk>"] + sorted(set(text))
        self.token_to_idx = {t: i for i, t in enumerate(self.idx_to_token)}

    def __len__(self):
        return len(self.idx_to_token)

    def __getitem__(self, tokens):
        return [self.token_to_idx.get(t, 0) for t in tokens]


def load_corpus(n_train, n_val):
    draw = lambda n: " ".join(random.choice(SENTENCES) for _ in range(n))
    train, val = draw(n_train), draw(n_val)
    vocab = Vocab(train)
    return torch.tensor(vocab[train]), torch.tensor(vocab[val]), vocab


def seq_data_iter_sequential(corpus, batch_size, num_steps, offset):
    num_tokens = ((len(corpus) - offset - 1) // batch_size) * batch_size
    Xs = corpus[offset:offset + num_tokens].reshape(batch_size, -1)
    Ys = corpus[offset + 1:offset + 1 + num_tokens].reshape(batch_size, -1)
    for i in range(0, num_steps * (Xs.shape[1] // num_steps), num_steps):
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
    norm = torch.sqrt(sum(torch.sum(p.grad ** 2) for p in net.parameters()))
    if norm > theta:
        for p in net.parameters():
            p.grad[:] *= theta / norm


def train_epoch(net, corpus, batch_size, num_steps, trainer):
    state, total, count = None, 0.0, 0
    offset = random.randint(0, num_steps - 1)
    for X, Y in seq_data_iter_sequential(corpus, batch_size, num_steps, offset):
        state = net.begin_state(batch_size) if state is None else state.detach()
        y_hat, state = net(X, state)
        loss = F.cross_entropy(y_hat.reshape(-1, net.vocab_size), Y.reshape(-1))
        trainer.zero_grad()
        loss.backward()
        grad_clipping(net, 1)
        trainer.step()
        total += loss.item() * Y.numel()
        count += Y.numel()
    return math.exp(total / count)


@torch.no_grad()
def evaluate_ppl(net, corpus, batch_size, num_steps):
    state, total, count = net.begin_state(batch_size), 0.0, 0
    for X, Y in seq_data_iter_sequential(corpus, batch_size, num_steps, 0):
        y_hat, state = net(X, state)
        total += F.cross_entropy(y_hat.reshape(-1, net.vocab_size), Y.reshape(-1), reduction="sum").item()
        count += Y.numel()
    return math.exp(total / count)


@torch.no_grad()
def predict(prefix, num_preds, net, vocab):
    state, outputs = net.begin_state(1), vocab[prefix]
    for i in range(len(prefix) + num_preds - 1):
        logits, state = net(torch.tensor([[outputs[i]]]), state)
        if i >= len(prefix) - 1:
            outputs.append(logits[0, -1].argmax().item())
    return "".join(vocab.idx_to_token[i] for i in outputs)


train_corpus, val_corpus, vocab = load_corpus(700, 80)
net = RNNModelScratch(len(vocab), 64)
trainer = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(6):
    ppl = train_epoch(net, train_corpus, 32, 16, trainer)
    print(f"epoch {epoch + 1}, train perplexity {ppl:.2f}, val perplexity {evaluate_ppl(net, val_corpus, 8, 16):.2f}")
print(predict("the t", 40, net, vocab))
