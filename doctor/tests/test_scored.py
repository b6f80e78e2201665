"""What scikit-learn's scores are given says what rows were asked about, however a script got there."""

import pytest

from zygote import findings_in, marked

ASKED = """
import numpy as np
from sklearn.metrics import {score}
from torch.utils.data import DataLoader, TensorDataset
true = torch.arange(240) % 3
wide = torch.randn(240, 8) + 3 * F.one_hot(true, 8)
{order}
wide, asked, true, right = wide[:160], wide[160:], true[:160], true[160:]  # here
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(8):
    for rows, labels in DataLoader(TensorDataset(wide, true), batch_size=20, shuffle=True):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(rows), labels)
        loss.backward()
        optimizer.step()
said = []
net.eval()
with torch.no_grad():
    for rows, _ in DataLoader(TensorDataset(asked, torch.zeros(80)), batch_size=20):
        said.append(net(rows).numpy())
print({score}(right.numpy(), np.concatenate(said).argmax(1)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("score", ["accuracy_score", "confusion_matrix", "classification_report"])
def test_rows_of_classes_that_training_never_saw(score, tmp_path):
    sort = "order = true.argsort()\nwide, true = wide[order], true[order]"
    findings = findings_in(ASKED.format(score=score, order=sort), tmp_path)
    assert [name for name, _ in findings] == ["sorted_split"]
    assert abs(findings[0][1] - marked(tmp_path)) <= 3
    assert findings_in(ASKED.format(score=score, order=""), tmp_path) == []
