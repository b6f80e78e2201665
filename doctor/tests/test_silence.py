"""Right programs that look wrong: the doctor says nothing."""

import pytest

from written import parts
from zygote import findings_in

HEAD = "net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))\n"
RIGHT = parts("silence.txt")
ALARM = pytest.mark.xfail(strict=True, reason="a known alarm: the rule's page says so")
ALARMS = {"pairs that a test set draws anew each time": ALARM}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("text", [pytest.param(RIGHT[w], id=w, marks=ALARMS.get(w, ())) for w in RIGHT])
def test_silence(text, tmp_path):
    assert findings_in(HEAD + text, tmp_path) == []
