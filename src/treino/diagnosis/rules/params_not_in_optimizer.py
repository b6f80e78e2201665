"""Parameters that get gradients and belong to no optimizer."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="params_not_in_optimizer",
    group="gradients",
    severity="wrong",
    certain=True,
    message=N_(
        "{parameters} parameter tensors (the first is {shape}) get gradients but are in no optimizer."
    ),
    why=N_(
        "{optimizer} took {steps} steps on the same loss, and these parameters kept their first random "
        "values. "
        "The rest of the network has to learn around a part that never learns."
    ),
    fix=N_(
        "Give their parameters to the optimizer (and make every layer before it), or freeze them on purpose."
    ),
    safety="Training changes: more weights learn. Check that they were not meant to be frozen.",
    limits=(
        "Weights that were loaded, copied or frozen on purpose (`requires_grad=False`) are left "
        "alone, and so are those that several optimizers share in turns."
    ),
    wrong="""\
body, head = nn.Linear(8, 16), nn.Linear(16, 3)
optimizer = torch.optim.SGD(body.parameters(), lr=0.1)
for step in range(10):
    loss = F.cross_entropy(head(torch.relu(body(x))), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    right="""\
body, head = nn.Linear(8, 16), nn.Linear(16, 3)
optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
for step in range(10):
    loss = F.cross_entropy(head(torch.relu(body(x))), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
)
