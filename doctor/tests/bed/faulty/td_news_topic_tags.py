# expect: sigmoid_before_bce_with_logits @ 53
# allowed: sigmoid_before_bce_with_logits @ 52
# allowed: sigmoid_before_bce_with_logits @ 70
# mend: 53 →     loss = criterion(logits, targets)
"""Tags for made-up news lines: several topics may apply at once, words are averaged with an EmbeddingBag."""
import random

import torch
import torch.nn as nn

TOPICS = {
    "sport": "match goal team coach league referee stadium".split(),
    "money": "market bank shares rate profit investor budget".split(),
    "weather": "rain storm sunny frost flood wind forecast".split(),
    "science": "study lab cell planet theory sample telescope".split(),
}
COMMON = "today the city report says new people after before minister year big local".split()
WORDS = {w: i for i, w in enumerate(sorted(set(sum(TOPICS.values(), COMMON[:]))))}


def make_line(rng):
    tags = [t for t in TOPICS if rng.random() < 0.4]
    words = rng.sample(COMMON, rng.randint(3, 7))
    for t in tags:
        words += rng.sample(TOPICS[t], rng.randint(1, 3))
    rng.shuffle(words)
    return [WORDS[w] for w in words], [float(t in tags) for t in TOPICS]


def collate(lines):
    flat, offsets, targets = [], [], []
    for ids, tags in lines:
        offsets.append(len(flat))
        flat.extend(ids)
        targets.append(tags)
    return torch.tensor(flat), torch.tensor(offsets), torch.tensor(targets)


class Tagger(nn.Module):
    def __init__(self, n_words, n_tags):
        super().__init__()
        self.bag = nn.EmbeddingBag(n_words, 16, mode="sum")
        self.out = nn.Linear(16, n_tags)

    def forward(self, flat, offsets):
        return self.out(torch.tanh(self.bag(flat, offsets)))


def step(model, criterion, optimizer, batch):
    flat, offsets, targets = batch
    logits = model(flat, offsets)
    probs = torch.sigmoid(logits)
    loss = criterion(probs, targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    exact = ((probs.detach() > 0.5) == targets.bool()).all(dim=1).float().mean()
    return loss.item(), exact.item()


def main():
    torch.manual_seed(8)
    rng = random.Random(8)
    train = [make_line(rng) for _ in range(1200)]
    known = {tuple(sorted(ids)) for ids, _ in train}
    test = [line for line in (make_line(rng) for _ in range(400)) if tuple(sorted(line[0])) not in known]

    model = Tagger(len(WORDS), len(TOPICS))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    criterion = nn.BCEWithLogitsLoss()
    loader = torch.utils.data.DataLoader(train, batch_size=40, shuffle=True, collate_fn=collate)

    for epoch in range(10):
        model.train()
        results = [step(model, criterion, optimizer, batch) for batch in loader]
        loss, exact = (sum(column) / len(results) for column in zip(*results))
        print(f"epoch {epoch + 1}  loss {loss:.4f}  all tags right {exact:.3f}")

    model.eval()
    with torch.no_grad():
        flat, offsets, targets = collate(test)
        chosen = torch.sigmoid(model(flat, offsets)) > 0.5
    right = (chosen == targets.bool()).float().mean(dim=0)
    print("test:", ", ".join(f"{t} {r:.3f}" for t, r in zip(TOPICS, right.tolist())))


if __name__ == "__main__":
    main()
