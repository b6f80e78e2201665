# expect: nothing
# Prototypical embedding plus age regression on synthetic voice features
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(21)
SPEAKERS, DIM = 5, 16


def record(n):
    centers = torch.randn(SPEAKERS, DIM) * 1.2
    who = torch.randint(SPEAKERS, (n,))
    feats = centers[who] + torch.randn(n, DIM)
    age = 0.8 * feats[:, 0] - 0.5 * feats[:, 3] + 0.2 * torch.randn(n)
    return feats, who, age


def split(feats, who, age, frac=0.75):
    """Random split; returns two (features, speaker, age) triples."""
    perm = torch.randperm(len(feats))
    cut = int(frac * len(feats))
    feats, who, age = feats[perm], who[perm], age[perm]
    rows_a, rows_b = slice(0, cut), slice(cut, None)
    pick = lambda rows: (feats[rows], who[rows], age[rows])
    return pick(rows_a), pick(rows_b)


class VoiceNet(nn.Module):
    def __init__(self, emb=8):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(DIM, 48), nn.ReLU(), nn.LayerNorm(48))
        self.embed = nn.Linear(48, emb)
        self.age = nn.Linear(48, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.embed(h), self.age(h).squeeze(-1)


def proto_logits(query, support, support_ids):
    protos = torch.stack([support[support_ids == s].mean(0) for s in range(SPEAKERS)])
    return -torch.cdist(query, protos) ** 2


def episode(net, data, shots=4):
    x, who, age = data
    sup, qry = [], []
    for s in range(SPEAKERS):
        rows = torch.nonzero(who == s).flatten()
        rows = rows[torch.randperm(len(rows))]
        sup.append(rows[:shots])
        qry.append(rows[shots:2 * shots])
    sup, qry = torch.cat(sup), torch.cat(qry)
    z_s, age_s = net(x[sup])
    z_q, age_q = net(x[qry])
    ce = F.cross_entropy(proto_logits(z_q, z_s, who[sup]), who[qry])
    mse = F.mse_loss(torch.cat([age_s, age_q]), torch.cat([age[sup], age[qry]]))
    return ce, mse


feats, who, age = record(600)
train, test = split(feats, who, age)
mu, sd = train[0].mean(0), train[0].std(0)
a_mu, a_sd = train[2].mean(), train[2].std()
train, test = [((x - mu) / sd, w, (a - a_mu) / a_sd) for x, w, a in (train, test)]

net = VoiceNet()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for it in range(1, 151):
    net.train()
    ce, mse = episode(net, train)
    loss = ce + mse
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 30 == 0:
        print(f"episode {it}: ce {ce.item():.3f}  age mse {mse.item():.3f}")

net.eval()
with torch.no_grad():
    z_tr, _ = net(train[0])
    z_te, age_te = net(test[0])
    found = proto_logits(z_te, z_tr, train[1]).argmax(dim=1)
    print(f"test speaker accuracy {(found == test[1]).float().mean():.3f}, "
          f"age mse {F.mse_loss(age_te, test[2]):.3f}")
