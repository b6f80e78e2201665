"""What a release is made of: links that lead somewhere, workflows whose commands are there, a site."""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires, version
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from tools import address, links

from tests.conftest import Treino
from treino.cli import doctor

ROOT = Path(__file__).parent.parent
BUILD = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = BUILD["project"]


def test_links_lead_somewhere() -> None:
    assert list(links.lost(ROOT)) == []


def test_commands_of_the_docs_work_in_a_clone(tmp_path: Path) -> None:
    assert list(links.idle(ROOT)) == []
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    right = "make lint types", "pip install ./doctor '.[onnx]'", "pip install 'treino[onnx]'"
    wrong = "make lunch", "python -m tools.lunch", "pip install treino", "!pip install 'treino[onnx]'"
    wrong = *wrong, "pip install 'treino[dev]'", "pip install -q treino-doctor"
    (tmp_path / "page.md").write_text("\n\n".join(f"`{command}`" for command in (*right, *wrong)))
    assert {command for _page, command in links.idle(tmp_path)} == set(wrong)


def commands() -> list[tuple[str, str]]:
    found = []
    for path in sorted((ROOT / ".github/workflows").glob("*.yml")):
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            found += [(path.name, step["run"]) for step in job["steps"] if "run" in step]
    return found


def test_workflows_call_what_there_is() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name, command in commands():
        words = command.split()
        if words[0] == "make":
            assert set(words[1:]) <= targets, (name, command)
            continue
        if words[0] not in ("apt-get", "pytest"):
            assert words[:2] == ["python", "-m"] or (ROOT / words[0]).is_file(), (name, command)
        groups = set(re.findall(r"--group (\w+)", command))
        assert groups <= BUILD["dependency-groups"].keys(), (name, command)
    assert len(commands()) >= 8


def test_the_doctor_looks_at_all_that_treino_needs(treino: Treino, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader of requirements is packaging's, which treino does without."""
    needed = [Requirement(text) for text in requires("treino") or ()]
    rows = {row["name"]: row for row in treino("doctor", "--json").document["checks"]}
    assert {r.name for r in needed if r.marker is None} <= rows.keys()
    assert {"starlette", "uvicorn", "websockets", "optuna"} <= rows.keys()
    assert not {"pytest", "twine", "mkdocs"} & rows.keys()

    def absent(name: str) -> str:
        if name in ("uvicorn", "optuna"):
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor, "version", absent)
    said = treino("doctor")
    assert said.status == 1
    assert "no  uvicorn: missing Install it: pip install uvicorn\n" in said.out
    assert "ok  optuna: not installed (optional) Install it: pip install 'treino[optuna]'\n" in said.out


def test_the_doctor_s_oldest_torch_is_said_where_it_is_promised() -> None:
    doctor = tomllib.loads((ROOT / "doctor/pyproject.toml").read_text())["project"]
    (needed,) = (text for text in doctor["dependencies"] if Requirement(text).name == "torch")
    for page in ("README.md", "doctor/README.md", "doctor/docs/doctor.md"):
        promised = re.findall(r"PyTorch,? from (\d+\.\d+) on", (ROOT / page).read_text())
        assert promised
        assert {f"torch>={version}" for version in promised} == {needed}, page


def test_forms_and_citation_agree_with_the_package() -> None:
    for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text())
        assert {"name", "description", "body"} <= form.keys()
        assert all(part["type"] in ("textarea", "input", "dropdown", "markdown") for part in form["body"])
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["license"] == PROJECT["license"]
    assert cited.keys() >= {"cff-version", "message", "title", "authors"}


def test_what_is_published_names_where_the_repository_lies(tmp_path: Path) -> None:
    here = "https://example.org/someone/treino"
    for name in ("CITATION.cff", *chain(*address.PROJECTS.items())):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
        assert here not in (ROOT / name).read_text()
    address.write(tmp_path, here)
    for project, page in address.PROJECTS.items():
        about = tomllib.loads((tmp_path / project).read_text())["project"]
        assert (about["urls"]["Source"], about["authors"]) == (here, PROJECT["authors"])
        found = links.LINK.findall((tmp_path / page).read_text())
        files = [link.partition("/HEAD/")[2].partition("#")[0] for link in found if link.startswith(here)]
        assert [link for link in found if ":" not in link and not link.startswith("#")] == []
        assert len(files) > 3
        assert all((ROOT / file).exists() for file in files)
    cited = yaml.safe_load((tmp_path / "CITATION.cff").read_text())
    assert cited["repository-code"] == here
    assert cited["authors"] == PROJECT["authors"]


def test_the_site_has_every_page() -> None:
    """All pages of docs/ and doctor/docs/ stand in its table of contents."""
    listed = re.findall(r"[\w\-/]+\.md", (ROOT / "mkdocs.yml").read_text())
    docs = {p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").rglob("*.md")}
    docs |= {p.name for p in (ROOT / "doctor/docs").glob("*.md")}
    for folder in ROOT.glob("apps/*/docs"):
        docs |= {p.relative_to(folder).as_posix() for p in folder.rglob("*.md") if p.name != links.PLAYGROUND}
    wanted = {page.replace("README.md", "index.md") for page in docs}
    assert wanted <= set(listed)


@pytest.mark.release
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    subprocess.run([sys.executable, "-m", "tools.site"], cwd=ROOT, check=True)
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path / "site")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    assert 'id="treino.api.fit"' in (tmp_path / "site/api/index.html").read_text()
    assert 'href="../../play.html#data=wine' in (tmp_path / "site/lessons/00-no-code/index.html").read_text()
    addresses = links.LINK.findall((tmp_path / "site/llms.txt").read_text())
    assert len(addresses) > 80
    assert all((tmp_path / "site" / address / "index.html").exists() for address in addresses)
