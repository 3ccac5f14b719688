"""WU-7: a planted credential is found by gitleaks wherever it got to, and a secret of a run wherever it leaked to."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from floe_core.errors import WrongStateError
from floe_ops import toolchain
from floe_ops.audits import gate
from floe_ops.audits.canary import places, search
from floe_ops.audits.leaks import detector, surfaces
from floe_ops.audits.leaks.staging import Staging
from floe_ops.targets.local import credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = f"ghp_{os.urandom(18).hex()}"


@pytest.fixture(autouse=True)
def _planted_projects_stand_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found in them says nothing about this project, and no image of this machine is theirs."""
    monkeypatch.delenv("FLOE_RUN_DIR", raising=False)
    monkeypatch.setenv("FLOE_TOOL_GITLEAKS", str(toolchain.ensure("gitleaks")))
    monkeypatch.setenv("FLOE_TOOLS", str(tmp_path / "tools"))


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, timeout=30)


def plant(path: Path, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"before\ntoken: {TOKEN}\n", encoding="utf-8")
    path.chmod(mode)


@pytest.mark.requirement("WU7-AC1")
def test_a_token_in_tree_history_artifact_and_log_is_found_by_its_place_and_not_repeated(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text(".floe/\n", encoding="utf-8")
    plant(tmp_path / "taken-out.txt")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "with a token")
    (tmp_path / "taken-out.txt").unlink()
    plant(tmp_path / "charts" / "values.yaml")
    for name in ("products/x/compiled_artifacts.json", "run/1/otel.log", "report/index.html"):
        plant(tmp_path / ".floe" / name)
    plant(tmp_path / ".floe" / "run" / "secrets.json", mode=0o600)
    with pytest.raises(WrongStateError) as caught:
        gate.leaks(tmp_path)
    lines = caught.value.why.split("\n")
    places = sorted(line.strip().partition(": ")[0].partition(" in commit")[0] for line in lines)
    assert places == [
        ".floe/products/x/compiled_artifacts.json:2",
        ".floe/report/index.html:2",
        ".floe/run/1/otel.log:2",
        "charts/values.yaml:2",
        "taken-out.txt:2",
    ]
    assert TOKEN not in str(caught.value)


@pytest.mark.requirement("WU7-AC1")
def test_an_allowance_is_for_a_value_in_a_file_and_one_without_use_is_a_finding(tmp_path: Path) -> None:
    plant(tmp_path / "tests" / "test_x.py")
    entry = "[[allowlists]]\ndescription = 'planted by a test, of no account'\ncondition = 'AND'\n"
    allow = f"[extend]\nuseDefault = true\n{entry}paths = ['^tests/test_x']\nregexes = ['^ghp_']\n"
    (tmp_path / ".gitleaks.toml").write_text(allow, encoding="utf-8")
    assert "no credential" in gate.leaks(tmp_path)
    (tmp_path / "tests" / "test_x.py").rename(tmp_path / "tests" / "test_y.py")
    with pytest.raises(WrongStateError) as caught:
        gate.leaks(tmp_path)
    assert "tests/test_y.py:2: github-pat" in caught.value.why
    assert "'planted by a test, of no account' (^tests/test_x) covers nothing any more" in caught.value.why


@pytest.mark.requirement("WU7-AC1")
def test_a_token_in_a_built_wheel_is_found_also_where_gitleaks_itself_would_not_look(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("lib/python3.11/site-packages/x.py", f"token = '{TOKEN}'\n")
        wheel.writestr("x-1.dist-info/METADATA", f"Name: x\nToken: {TOKEN}\n")
    staged = tmp_path / "staged"
    staged.mkdir()
    staging = Staging(staged)
    staging.add_archive(tmp_path / "x-1-py3-none-any.whl", "x-1-py3-none-any.whl")
    found = {str(leak).partition(": ")[0] for leak in staging.told(detector.folder(staged))}
    assert found == {
        "lib/python3.11/site-packages/x.py:1 in x-1-py3-none-any.whl",
        "x-1.dist-info/METADATA:2 in x-1-py3-none-any.whl",
    }


@pytest.mark.requirement("WU7-AC1")
def test_every_package_of_the_workspace_is_built_and_opened(project_root: Path, tmp_path: Path) -> None:
    staged, dist = tmp_path / "staged", tmp_path / "dist"
    staged.mkdir()
    dist.mkdir()
    surfaces.packages(project_root, dist, Staging(staged))
    members = [
        path for top in ("packages", "plugins", "testing") for path in (project_root / top).glob("*/pyproject.toml")
    ]
    assert len(list(dist.glob("*.whl"))) == len(list(dist.glob("*.tar.gz"))) == len(members)
    assert any(path.read_bytes().startswith(b"Metadata-Version") for path in staged.iterdir())


@contextmanager
def process(*words: str, **environment: str) -> Iterator[int]:
    """A process that waits for its input to end."""
    command = [sys.executable, "-c", "print('up', flush=True); input()", *words]
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environment}, text=True
    )
    with child:
        assert child.stdout
        assert child.stdout.readline() == "up\n"
        yield child.pid
        child.communicate("\n", timeout=10)


@pytest.mark.requirement("WU7-AC1")
def test_a_secret_of_a_run_is_found_wherever_it_leaked_to(tmp_path: Path) -> None:
    """The secrets are those that the platform makes for a start, one of them with what a URL must escape."""
    secrets = {**credentials.new(), "in-a-url": f"{os.urandom(9).hex()}/+=&%"}
    client, key = secrets["polaris-client-secret"], secrets["s3-secret-key"]
    planted = {
        ".floe/run/1/platform.log": f"started with {client}",
        ".floe/report/index.html": base64.b64encode(f"root:{client}".encode()).decode(),
        ".floe/products/x/compiled_artifacts.json": f'{{"key": "{key}"}}',
        "demo/x/target/run_results.json": f"?password={quote(secrets['in-a-url'], safe='')}",
    }
    for name, text in planted.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    belongs = tmp_path / ".floe" / "run" / "platform" / "secrets.json"
    belongs.parent.mkdir()
    credentials.save(belongs, credentials.new() | secrets)
    with process(f"--key={key}") as teller, process(DUMPED=client) as dumper, process(HANDED=client) as handed:
        seen, sightings = search.look(tmp_path, secrets, places.family(handed) - {teller, dumper})
    program = Path(sys.executable).name
    assert {str(one) for one in sightings} == {
        ".floe/run/1/platform.log: holds polaris-client-secret (plain; value withheld)",
        ".floe/report/index.html: holds polaris-client-secret (Base64; value withheld)",
        ".floe/products/x/compiled_artifacts.json: holds s3-secret-key (plain; value withheld)",
        "demo/x/target/run_results.json: holds in-a-url (URL-encoded; value withheld)",
        f"command line of process {teller} ({program}): holds s3-secret-key (plain; value withheld)",
        f"environment of process {dumper} ({program}): holds polaris-client-secret (plain; value withheld)",
    }
    assert "5 secrets of this run" in seen
    assert not any(value in seen + "".join(map(str, sightings)) for value in (client, key))


@pytest.mark.requirement("WU7-AC1")
def test_without_a_platform_there_is_nothing_to_look_for_and_that_is_no_green(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "noxfile.py").touch()
    monkeypatch.setenv("FLOE_ROOT", str(tmp_path))
    with pytest.raises(WrongStateError, match="no secret to look for"):
        gate.canaries(tmp_path)
