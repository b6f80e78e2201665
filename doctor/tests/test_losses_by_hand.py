"""A softmax over the rows is seen in whatever words the loss of its probabilities is written."""

import pytest

from zygote import told

TRAINED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        return F.softmax(self.last(x), dim={dim})  # here

net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
for epoch in range(6):
    for rows in torch.randperm(240).split(30):
        p, true = net(x[rows]), y[rows]
        STEP: {loss}
"""
LOSSES = (
    "F.nll_loss(torch.log(p + 1e-8), true)",
    "nn.NLLLoss()(p.add(1e-8).log(), true)",
    "F.nll_loss(p.clamp(min=1e-8).log(), true)",
    "-torch.log(p[torch.arange(len(true)), true] + 1e-8).mean()",
    "-torch.log(p + 1e-8)[torch.arange(len(true)), true].mean()",
    "-torch.log(p.gather(1, true[:, None]) + 1e-8).mean()",
    "-(F.one_hot(true, 3) * torch.log(p + 1e-8)).sum(1).mean()",
    "-torch.sum(torch.log(p) * F.one_hot(true, 3).float()) / len(true)",
    "(-F.one_hot(true, 3) * (p + 1e-6).log()).sum() / len(true)",
)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_softmax_over_rows_is_found_behind_every_loss_and_one_over_classes_is_right(loss, tmp_path):
    assert told(TRAINED.format(dim=0, loss=loss), tmp_path, near=1) == "softmax_wrong_dim"
    assert told(TRAINED.format(dim=1, loss=loss), tmp_path) == ""
