"""Whichever words of torch a script uses, the doctor says the same of it."""

import pytest

from bed_scripts import header
from other_words import OTHER_WORDS
from rewriting import rewritten
from same_findings import differences, faulty_ones, right_ones
from test_rewriting import printed

RIGHT = 2  # right scripts for each way
ONE_IN = 10  # rules for each way
UNSEEN = {("data", "augment_on_test")}  # items that objects change at random, behind a loader of one's own

EVERY = """\
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn, optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
x = torch.randn(60, 4)
y = (x[:, 0] > 0).long()
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=1)
scaler = StandardScaler()
x_train = torch.tensor(scaler.fit_transform(x_train)).float()
x_test = torch.tensor(scaler.transform(x_test)).float()
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
nn.init.zeros_(net[2].bias)
nn.init.constant_(net[0].bias, 0.1)
optimizers = [
    optim.Adam(net.parameters(), lr=0.01),
    optim.Adam(net.parameters(), lr=0.02, weight_decay=0.1),
    optim.Adam(net.parameters(), lr=0.01),
    optim.Adam(net.parameters(), lr=0.01),
    optim.Adam(net.parameters(), lr=0.01),
    optim.SGD(net.parameters(), lr=0.1, momentum=0.9),
]
sched = StepLR(optimizers[0], step_size=1, gamma=0.5)
crit, squares, binary = nn.CrossEntropyLoss(), nn.MSELoss(), nn.BCEWithLogitsLoss()
seen = []
for epoch in range(3):
    total = 0.0
    net.train()
    for rows, labels in DataLoader(TensorDataset(x_train, y_train), batch_size=15, shuffle=False):
        for optimizer in optimizers:
            optimizer.zero_grad()
            out = net(rows)
            hot = F.one_hot(labels, 2).float()
            loss = crit(out, labels) + F.cross_entropy(out, labels) + F.mse_loss(torch.sigmoid(out), hot)
            loss = loss + squares(F.softmax(out, dim=1), hot) + binary(out, hot) + F.relu(out).mean()
            loss = loss + F.binary_cross_entropy_with_logits(out, hot) + torch.cat([out, out.detach()]).mean()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), max_norm=0.5)
            optimizer.step()
            total += loss.item()
    sched.step()
    seen.append(total)
net.eval()
perm = torch.arange(15).flip(0)
with torch.no_grad():
    pred = net(x_test[perm]).argmax(dim=1)
    acc = (pred == y_test[perm]).float().mean()
    again = net(x_test).argmax(1)
print([round(v, 3) for v in seen], round(acc.item(), 3), again.tolist(), net.training)
"""


@pytest.mark.filterwarnings(
    "ignore:Converting a tensor with requires_grad"
)  # float(loss), as people write it
@pytest.mark.parametrize("way", OTHER_WORDS)
def test_a_script_in_other_words_means_the_same(way):
    made = rewritten(EVERY, OTHER_WORDS[way])
    assert made is not None
    assert printed(made[0]) == printed(EVERY)


@pytest.mark.slow
@pytest.mark.sampled(4)
@pytest.mark.parametrize("way", OTHER_WORDS)
def test_the_doctor_says_the_same_in_other_words(way, tmp_path):
    rewrite = OTHER_WORDS[way]
    wrong = faulty_ones(way, rewrite, ONE_IN)
    wrong = [p for p in wrong if (way.split()[0], header(p)["expect"][0][0]) not in UNSEEN]
    every = [*wrong, *right_ones(way, rewrite, RIGHT)]
    assert len(every) > RIGHT
    assert differences(every, rewrite, tmp_path) == []
