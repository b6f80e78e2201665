"""A rare class that the net has given up."""

from treino.diagnosis.rule import Rule
from treino.words import N_

STANDSTILL = (
    *("weight_decay_too_high", "lr_too_high", "lr_too_low", "clip_too_small", "dead_relu"),
    *("vanishing_gradient", "symmetric_init", "exploding_sum_loss", "params_not_in_optimizer"),
)

RULE = Rule(
    id="class_imbalance",
    group="data",
    severity="risk",
    certain=False,
    unless=(
        "missing_zero_grad",
        "no_step",
        "grad_cleared_before_step",
        "detached_loss",
        "nan_inputs",
        "bad_label_values",
        "softmax_before_cross_entropy",  # a loss that can't fall further, nor lead to what is rare
        "sigmoid_before_bce_with_logits",
        *STANDSTILL,
    ),
    message=N_(
        "Class {label} is {share} of the rows, and the net finds {found} of {there} of them in its newest "
        "batches."
    ),
    why=N_(
        "Saying the common class always is nearly right on average, so the loss hardly rewards finding "
        "the rare one. A high accuracy hides that it is never found."
    ),
    fix=N_(
        "Weight the classes in the loss (weight=, pos_weight=) or sample them evenly, and look at recall "
        "or F1."
    ),
    safety="Weights move errors from the rare class to the common one: look at both.",
    limits=(
        "Judged by the answers on training batches; a program that only ranks rows (ROC AUC) needs no "
        "weights."
    ),
    wrong="""\
y = (x[:, 0] * x[:, 1] > 1.2).long()
net = nn.Linear(8, 2)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
y = (x[:, 0] * x[:, 1] > 1.2).long()
weight = len(y) / (2 * y.bincount().float())
net = nn.Linear(8, 2)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y, weight=weight)
    loss.backward()
    optimizer.step()
""",
)
