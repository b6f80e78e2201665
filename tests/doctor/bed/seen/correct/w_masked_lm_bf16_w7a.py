# expect: nothing
"""Masked language model on made-up recipes: padded batches, 80/10/10 corruption, bfloat16 autocast, cosine with warmup."""
import math
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

PAD, MASK, FIRST = 0, 1, 2
TOOLS = {"chop": "knife", "boil": "pot", "fry": "pan", "bake": "oven", "whisk": "bowl", "grate": "grater"}
FOODS = {"chop": ["onions", "carrots"], "boil": ["rice", "beans"], "fry": ["eggs", "fish"],
         "bake": ["bread", "pies"], "whisk": ["cream", "batter"], "grate": ["cheese", "ginger"]}
LINKS = ["then", "next", "after", "finally"]


def recipe(rng):
    words = []
    for _ in range(rng.randint(2, 3)):
        verb = rng.choice(list(TOOLS))
        words += [rng.choice(LINKS), verb, "the", rng.choice(FOODS[verb]), "with", "a", TOOLS[verb]]
    return words


WORDS = sorted(set(LINKS) | set(TOOLS) | set(TOOLS.values()) | {"the", "with", "a"} | {f for v in FOODS.values() for f in v})
INDEX = {w: i + FIRST for i, w in enumerate(WORDS)}


def corrupt(tokens, gen, rate=0.2):
    """Labels are -100 wherever nothing has to be guessed."""
    chosen = (torch.rand(tokens.shape, generator=gen) < rate) & (tokens != PAD)
    chosen[:, 3] = True
    roll = torch.rand(tokens.shape, generator=gen)
    noise = torch.randint(FIRST, FIRST + len(WORDS), tokens.shape, generator=gen)
    mixed = torch.where(chosen & (roll < 0.8), torch.full_like(tokens, MASK), tokens)
    mixed = torch.where(chosen & (roll >= 0.9), noise, mixed)
    return mixed, tokens.masked_fill(~chosen, -100)


class MaskedLM(nn.Module):
    def __init__(self, vocab, dim=32, length=21):
        super().__init__()
        self.token = nn.Embedding(vocab, dim, padding_idx=PAD)
        nn.init.normal_(self.token.weight, std=dim ** -0.5)
        self.place = nn.Parameter(0.5 * torch.randn(length, dim))
        layer = nn.TransformerEncoderLayer(dim, 2, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(dim)
        self.bias = nn.Parameter(torch.zeros(vocab))

    def forward(self, tokens):
        x = self.token(tokens) * math.sqrt(self.token.embedding_dim) + self.place[: tokens.shape[1]]
        h = self.norm(self.body(x, src_key_padding_mask=tokens == PAD))
        return h @ self.token.weight.T + self.bias


def main():
    torch.manual_seed(41)
    rng, gen = random.Random(41), torch.Generator().manual_seed(41)
    encoded = list({tuple(INDEX[w] for w in recipe(rng)) for _ in range(1500)})
    encoded.sort()
    rng.shuffle(encoded)
    tokens = pad_sequence([torch.tensor(row) for row in encoded], batch_first=True, padding_value=PAD)
    train, test = tokens[:900], tokens[900:]
    fixed, answers = corrupt(test, gen)

    model = MaskedLM(FIRST + len(WORDS))
    steps, epochs = 0, 6
    total_steps = epochs * math.ceil(len(train) / 50)
    opt = torch.optim.AdamW(model.parameters(), lr=8e-3, weight_decay=0.01)
    ramp = torch.optim.lr_scheduler.LambdaLR(
        opt, lambda s: min((s + 1) / 15, 0.5 * (1 + math.cos(math.pi * min(s / total_steps, 1.0))))
    )
    for epoch in range(epochs):
        model.train()
        running = 0.0
        for idx in torch.randperm(len(train)).split(50):
            mixed, labels = corrupt(train[idx], gen)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = model(mixed)
            loss = F.cross_entropy(logits.float().transpose(1, 2), labels, ignore_index=-100)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            ramp.step()
            running += loss.item()
            steps += 1
        if epoch % 2 == 1:
            print(f"epoch {epoch + 1}  loss {running / math.ceil(len(train) / 50):.4f}")

    model.eval()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        guess = model(fixed).argmax(dim=-1)
    asked = answers != -100
    print(f"{steps} steps, masked words guessed right {(guess == answers)[asked].float().mean().item():.4f}")


if __name__ == "__main__":
    main()
