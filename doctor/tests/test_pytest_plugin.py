"""``pytest --doctor``, in processes of its own."""

from importlib.metadata import entry_points

import pytest

pytest_plugins = ["pytester"]
PLUGIN = () if entry_points(group="pytest11", name="treino_doctor") else ("-p", "treino_doctor.pytest_plugin")
TESTS = """
import pytest

def train(mend=False):
    import torch
    net = torch.nn.Linear(3, 1)
    for i in range(6):
        net(torch.ones(4, 3)).pow(2).mean().backward()
        with torch.no_grad():
            for p in net.parameters():
                p -= 1e-3 * p.grad
                if mend:
                    p.grad = None

def test_right():
    train(mend=True)

def test_faulty():
    train()

@pytest.mark.no_doctor
def test_left_alone():
    train()

def test_broken():
    train()
    raise ValueError("mine")

@pytest.mark.xfail
def test_expected():
    train()
    raise ValueError("mine")

@pytest.fixture(scope="module")
def trained():
    train()

def test_of_a_fixture(trained):
    pass

def test_of_the_same_fixture(trained):
    pass
"""


@pytest.fixture
def run(pytester, monkeypatch):
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makepyfile(test_it=TESTS)
    return lambda *words: pytester.runpytest_subprocess(*PLUGIN, *words)


@pytest.mark.slow
def test_a_certain_finding_fails_the_test_that_trains(run):
    done = run("--doctor", "test_it.py")
    done.assert_outcomes(passed=3, failed=3, xfailed=1)
    faults = "doctor: the training in this test has faults: missing_zero_grad"
    lines = ["doctor: tests that train are watched (fail)", faults, "missing_zero_grad*test_it.py:10"]
    done.stdout.fnmatch_lines(lines)
    failed = [line for line in done.outlines if line.startswith("FAILED")]
    named = [line.split("::")[1].split()[0] for line in failed]
    assert named == ["test_faulty", "test_broken", "test_of_a_fixture"]


@pytest.mark.release
def test_warnings_are_told_and_fail_nothing_also_by_xdist(run):
    done = run("--doctor=warn", "-n", "2", "--dist", "loadfile", "test_it.py")
    done.assert_outcomes(passed=5, failed=1, xfailed=1, warnings=4)
    done.stdout.fnmatch_lines(["*DoctorWarning: missing_zero_grad*"])


def test_a_wrong_word_in_the_ini_file_is_one_sentence(run, pytester):
    pytester.makeini("[pytest]\ndoctor = loud")
    done = run("test_it.py")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: doctor = loud in the ini file: it is fail, or warn."])


@pytest.mark.slow
def test_tests_without_torch_import_neither_it_nor_the_doctor(pytester, run):
    pytester.makepyfile(
        test_light="""
        import sys
        def test_first():
            pass
        def test_nothing_heavy():
            assert "torch" not in sys.modules
            own = {m.removeprefix("treino_doctor.") for m in sys.modules if m.startswith("treino_doctor.")}
            shared = {"base", "base.garbage_collection", "base.program_start"}
            assert own <= {"pytest_plugin", "imports"} | shared
            assert sum("treino_doctor" in type(finder).__module__ for finder in sys.meta_path) == 1
        """
    )
    run("--doctor", "test_light.py").assert_outcomes(passed=2)
