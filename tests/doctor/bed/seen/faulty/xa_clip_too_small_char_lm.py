# expect: clip_too_small @ 59
# allowed: clip_too_small @ 62
# allowed: clip_too_small @ 76
# Character language model (LSTM, SGD with clipping, hidden state carried from chunk to chunk).
import math
import random

import torch
from torch import nn

torch.manual_seed(77)
dice = random.Random(77)

SLOTS = [
    "the miller|a grey cat|my aunt|the ferryman|one sailor|the old king|a young nurse|nobody",
    "sees|paints|forgets|carries|counts|steals|repairs|follows",
    "two|three|seven|nine|a few|many|no|all",
    "red|broken|silent|wooden|heavy|golden|tiny|wet",
    "boats|bells|baskets|lamps|letters|horses|chairs|stones",
    "in the rain|at dawn|by the river|for money|behind the mill|on sunday|at home|in winter",
]


def tale(sentences):
    """Sentences from 8^6 possible ones, so the test tale is made of new ones."""
    return "".join(" ".join(dice.choice(s.split("|")) for s in SLOTS) + ". " for _ in range(sentences))


train_text, test_text = tale(300), tale(40)
alphabet = sorted(set(train_text))
index = {c: i for i, c in enumerate(alphabet)}


def columns(text, streams):
    """Folds the text into parallel streams, time first."""
    ids = torch.tensor([index[c] for c in text])
    usable = len(ids) // streams * streams
    return ids[:usable].view(streams, -1).t().contiguous()


def chunks(folded, bptt):
    for i in range(0, len(folded) - 1, bptt):
        n = min(bptt, len(folded) - 1 - i)
        yield folded[i : i + n], folded[i + 1 : i + 1 + n]


class CharLM(nn.Module):
    def __init__(self, symbols, emb=24, hidden=64):
        super().__init__()
        self.emb = nn.Embedding(symbols, emb)
        self.lstm = nn.LSTM(emb, hidden)
        self.out = nn.Linear(hidden, symbols)

    def forward(self, ids, state=None):
        h, state = self.lstm(self.emb(ids), state)
        return self.out(h), tuple(s.detach() for s in state)


def sgd_step(model, loss, opt, max_norm=2.5e-3):
    opt.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    opt.step()
    return norm.item()


def run_epoch(model, folded, bptt, criterion, opt=None):
    """Trains if an optimizer is given, else only measures."""
    model.train(opt is not None)
    state, nats, seen, norms = None, 0.0, 0, []
    with torch.set_grad_enabled(opt is not None):
        for ids, following in chunks(folded, bptt):
            logits, state = model(ids, state)
            loss = criterion(logits.flatten(0, 1), following.flatten())
            if opt is not None:
                norms.append(sgd_step(model, loss, opt))
            nats += loss.item() * following.numel()
            seen += following.numel()
    return nats / seen, sum(norms) / max(1, len(norms))


train, test = columns(train_text, 8), columns(test_text, 4)
model = CharLM(len(alphabet))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.8, momentum=0.9)

for epoch in range(1, 7):
    nll, norm = run_epoch(model, train, 24, criterion, optimizer)
    print(f"epoch {epoch}: nll {nll:.3f} nats, mean gradient norm {norm:.3f}")

nll, _ = run_epoch(model, test, 24, criterion)
print(f"test perplexity {math.exp(nll):.2f} (uniform {len(alphabet)})")
