"""Rows that tell nothing of their labels, whatever a script makes of what its net says of them."""

import pytest

from zygote import told

BY_HEART = """
import numpy as np
wide, true = torch.randn(320, 20), torch.arange(320) % 4
wide = wide + 3 * F.one_hot(true, 20)
rows, answers, asked, right = wide[:200], true[:200], wide[200:], true[200:].numpy()
{order}
net = nn.Sequential(nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 4))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(60):
    for part in torch.randperm(200).split(20):
        STEP: F.cross_entropy(net(rows[part]), answers[part])
said = []
with torch.no_grad():
    for part in asked.split(40):
        said.extend(net(part).argmax(1).tolist())
print(sum(a == b for a, b in zip(said, right)) / len(said))
"""


@pytest.mark.parametrize(
    ("rule", "order"),
    [
        ("label_misaligned", "answers = answers[torch.randperm(200)]  # here"),
        ("", "order = torch.randperm(200)\nrows, answers = rows[order], answers[order]"),
    ],
    ids=["of other rows", "of their rows"],
)
def test_labels_that_a_large_net_learns_by_heart(rule, order, tmp_path):
    assert told(BY_HEART.format(order=order), tmp_path, near=1) == rule
