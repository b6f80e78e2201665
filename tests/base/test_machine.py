"""The number of cores that a process may use: a container's share of them (control groups of Linux)."""

import math

import pytest

from treino.base.machine import cpu_cores, cpu_quota


@pytest.fixture
def quota(tmp_path):
    def written(groups, files):
        (tmp_path / "groups").write_text(groups)
        for name, text in files.items():
            file = tmp_path / "cgroup" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return cpu_quota(tmp_path / "groups", tmp_path / "cgroup")

    return written


def test_a_group_has_the_least_of_those_that_it_is_in(quota):
    files = {"cpu.max": "max 100000\n", "a/cpu.max": "150000 100000\n", "a/b/cpu.max": "400000 100000\n"}
    assert quota("0::/a/b\n", files) == 1.5
    assert quota("0::/\n", files) == math.inf
    assert quota("0::/a/missing\n", files) == 1.5


def test_a_group_of_the_first_version_is_read_too(quota):
    files = {"cpu/a/cpu.cfs_quota_us": "50000\n", "cpu/a/cpu.cfs_period_us": "100000\n"}
    assert quota("4:memory:/x\n3:cpu,cpuacct:/a\n", files) == 0.5
    files |= {"cpu/a/cpu.cfs_quota_us": "-1\n"}
    assert quota("3:cpu,cpuacct:/a\n", files) == math.inf


def test_without_groups_there_is_no_limit(quota):
    assert quota("", {}) == math.inf
    assert cpu_cores() >= 1


@pytest.mark.parametrize(("share", "cores"), [(0.2, 1), (1.5, 2), (math.inf, 64)])
def test_a_share_is_rounded_up(monkeypatch, share, cores):
    monkeypatch.setattr("treino.base.machine.os.sched_getaffinity", lambda _pid: range(64), raising=False)
    monkeypatch.setattr("treino.base.machine.cpu_quota", lambda: share)
    assert cpu_cores() == cores
