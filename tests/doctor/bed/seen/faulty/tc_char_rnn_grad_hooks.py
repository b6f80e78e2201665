# expect: clip_too_small @ 58
# allowed: clip_too_small @ 68
"""Character language model on a few made-up weather reports; gradients are limited by hooks on the parameters."""
import argparse
import random

import torch
from torch import nn

SKY = ["clear", "cloudy", "overcast", "foggy"]
WIND = ["calm", "light wind", "strong wind"]
PLACE = ["harbour", "airport", "old town", "valley"]


def make_text(n, seed):
    rnd = random.Random(seed)
    lines = []
    for _ in range(n):
        sky, wind, place = rnd.choice(SKY), rnd.choice(WIND), rnd.choice(PLACE)
        lines.append(f"{place}: {sky}, {wind}, {rnd.randint(-5, 30)} degrees.\n")
    return "".join(lines)


class CharModel(nn.Module):
    def __init__(self, vocab, emb=16, hidden=64):
        super().__init__()
        self.embed = nn.Embedding(vocab, emb)
        self.rnn = nn.GRU(emb, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocab)

    def forward(self, tokens):
        h, _ = self.rnn(self.embed(tokens))
        return self.out(h)


def encode(text, table):
    return torch.tensor([table[c] for c in text])


def cut(stream, length):
    n = (len(stream) - 1) // length
    x = stream[:n * length].view(n, length)
    y = stream[1:n * length + 1].view(n, length)
    return x, y


def limit_gradients(model, limit):
    for p in model.parameters():
        p.register_hook(lambda g: g.clamp(-limit, limit))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--length", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--lr", type=float, default=0.5)
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--grad-limit", type=float, default=1e-5)
    args = parser.parse_args()

    torch.manual_seed(14)
    train_text, test_text = make_text(500, seed=1), make_text(100, seed=2)
    table = {c: i for i, c in enumerate(sorted(set(train_text)))}
    x_train, y_train = cut(encode(train_text, table), args.length)
    x_test, y_test = cut(encode(test_text, table), args.length)

    model = CharModel(len(table))
    limit_gradients(model, args.grad_limit)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=args.momentum)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(1, args.epochs + 1):
        model.train()
        total = 0.0
        for rows in torch.randperm(len(x_train)).split(16):
            loss = criterion(model(x_train[rows]).flatten(0, 1), y_train[rows].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        print(f"epoch {epoch}: {total / len(x_train):.4f} nats per character")

    model.eval()
    with torch.no_grad():
        loss = criterion(model(x_test).flatten(0, 1), y_test.flatten()).item()
    print(f"test {loss:.4f} nats per character, perplexity {2.718281828 ** loss:.3f}")


if __name__ == "__main__":
    main()
