# expect: clip_too_small @ 18
# allowed: clip_too_small @ 72
"""Character LSTM on a made-up logbook; truncated back-propagation with a carried hidden state and gradient clipping."""
import argparse
import math
import random

import torch
import torch.nn as nn


def get_args():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--hidden", type=int, default=64)
    p.add_argument("--bptt", type=int, default=40)
    p.add_argument("--batch", type=int, default=20)
    p.add_argument("--lr", type=float, default=4.0)
    p.add_argument("--clip", type=float, default=0.0025)
    p.add_argument("--epochs", type=int, default=6)
    p.add_argument("--seed", type=int, default=1111)
    return p.parse_args()


def write_log(seed, sentences):
    r = random.Random(seed)
    who = ["the mate", "the cook", "our captain", "a sailor"]
    did = ["saw", "mended", "lost", "painted", "cleaned"]
    what = ["the sail", "a rope", "the lamp", "two gulls", "the deck"]
    where = ["near the cape", "in the fog", "by the pier", "off the reef"]
    return " ".join(
        f"{r.choice(who)} {r.choice(did)} {r.choice(what)} {r.choice(where)} at {r.randint(0, 23)}:{r.randint(10, 59)}."
        for _ in range(sentences)
    )


def batchify(text, index, n):
    ids = torch.tensor([index[c] for c in text])
    usable = len(ids) // n * n
    return ids[:usable].view(n, -1)


class CharLM(nn.Module):
    def __init__(self, n_chars, hidden):
        super().__init__()
        self.embed = nn.Embedding(n_chars, 24)
        self.lstm = nn.LSTM(24, hidden, batch_first=True)
        self.out = nn.Linear(hidden, n_chars)

    def forward(self, x, state):
        output, state = self.lstm(self.embed(x), state)
        return self.out(output), state


def chunks(data, bptt):
    for start in range(0, data.shape[1] - 1, bptt):
        stop = min(start + bptt, data.shape[1] - 1)
        yield data[:, start:stop], data[:, start + 1:stop + 1]


def run(model, data, args, optimizer=None):
    criterion = nn.CrossEntropyLoss()
    model.train(optimizer is not None)
    state, total, count = None, 0.0, 0
    with torch.set_grad_enabled(optimizer is not None):
        for x, y in chunks(data, args.bptt):
            logits, state = model(x, state)
            state = tuple(s.detach() for s in state)
            loss = criterion(logits.flatten(0, 1), y.flatten())
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), args.clip)
                optimizer.step()
            total, count = total + loss.item() * y.numel(), count + y.numel()
    return total / count


def main():
    args = get_args()
    torch.manual_seed(args.seed)
    train_text, test_text = write_log(1, 800), write_log(2, 150)
    index = {c: i for i, c in enumerate(sorted(set(train_text)))}
    train, test = batchify(train_text, index, args.batch), batchify(test_text, index, 5)
    model = CharLM(len(index), args.hidden)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        loss = run(model, train, args, optimizer)
        print(f"epoch {epoch + 1}: perplexity per character {math.exp(loss):.3f}")
    print(f"test perplexity {math.exp(run(model, test, args)):.3f}")


if __name__ == "__main__":
    main()
