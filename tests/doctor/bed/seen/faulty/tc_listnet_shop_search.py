# expect: softmax_wrong_dim @ 39
"""Learning to rank (ListNet) for a made-up shop search: 8 offers per query, graded clicks, NDCG@8."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

N_QUERIES, N_OFFERS, N_FEATURES = 900, 8, 10


def make_queries(seed):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(N_QUERIES, N_OFFERS, N_FEATURES)).astype(np.float32)
    mood = rng.normal(scale=2.0, size=(N_QUERIES, 1, 1)).astype(np.float32)
    features[..., -1:] = mood
    value = 1.4 * features[..., 0] - features[..., 1] * features[..., 2] + 0.8 * np.sin(2 * features[..., 3])
    value = value + 0.3 * rng.normal(size=value.shape)
    order = value.argsort(axis=1).argsort(axis=1)
    grade = np.clip(order - 3, 0, 4).astype(np.float32)
    return torch.from_numpy(features), torch.from_numpy(grade)


class Scorer(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(N_FEATURES, 64), nn.ReLU(),
            nn.Linear(64, 64), nn.ReLU(),
            nn.Linear(64, 1),
        )

    def forward(self, offers):
        return self.net(offers).squeeze(-1)


def listnet(scores, grades):
    """Cross entropy between the wanted and the predicted chance of being placed first."""
    wanted = F.softmax(grades, dim=1)
    predicted = F.log_softmax(scores, dim=0)
    return -(wanted * predicted).sum(dim=1).mean()


def ndcg(scores, grades):
    places = torch.arange(scores.shape[1], dtype=torch.float32)
    discount = 1.0 / torch.log2(places + 2.0)
    gain = 2.0 ** grades - 1.0
    got = gain.gather(1, scores.argsort(dim=1, descending=True)) @ discount
    ideal = gain.sort(dim=1, descending=True).values @ discount
    return (got / ideal).mean().item()


def batches(n, size, generator):
    for chunk in torch.randperm(n, generator=generator).split(size):
        yield chunk


def main():
    torch.manual_seed(17)
    features, grades = make_queries(17)
    train_x, train_y = features[:650], grades[:650]
    test_x, test_y = features[650:], grades[650:]
    scorer = Scorer()
    optimizer = torch.optim.AdamW(scorer.parameters(), lr=3e-3, weight_decay=1e-3)
    order = torch.Generator().manual_seed(1)
    for epoch in range(25):
        total = 0.0
        for idx in batches(len(train_x), 50, order):
            loss = listnet(scorer(train_x[idx]), train_y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        if epoch % 6 == 0:
            print(f"epoch {epoch:2d}  listnet {total / len(train_x):.4f}")
    scorer.eval()
    with torch.no_grad():
        print(f"NDCG@8 train {ndcg(scorer(train_x), train_y):.4f}  test {ndcg(scorer(test_x), test_y):.4f}")


if __name__ == "__main__":
    main()
