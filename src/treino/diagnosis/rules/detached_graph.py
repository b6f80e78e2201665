"""A part of the network that is cut off from the loss."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="detached_graph",
    group="gradients",
    severity="wrong",
    certain=True,
    unless=("detached_loss", "grad_cleared_before_step"),
    message=N_("{parameters} parameter tensors got no gradient through this {how} in {steps} steps."),
    why=N_(
        "The value leaves the graph here, so that backward can't go on to the layers that made it. They "
        "are in the "
        "optimizer, but they learn nothing from what comes after."
    ),
    fix=N_(
        "Pass the tensor on as it is: no detach, .data, numpy or torch.tensor between layers that "
        "should learn, and rsample() in place of sample()."
    ),
    safety="Training changes: more weights learn, so look at the learning rate anew.",
    limits=(
        "Operations that cut a graph are seen while a window is open; a cut that is meant (a target "
        "network, a frozen part) is told apart by whether an optimizer holds what lies behind it."
    ),
    wrong="""\
body, head = nn.Linear(8, 16), nn.Linear(16, 3)
optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
for step in range(10):
    loss = F.cross_entropy(head(torch.relu(body(x)).detach()), y)
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
