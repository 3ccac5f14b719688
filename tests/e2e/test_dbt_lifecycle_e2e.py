"""The dbt lifecycle of the demo products on DuckDB files (WU-5): no service needed.

Everything is built by real processes from a copy in a folder with spaces in its name: what passes here does not depend
on where the checkout lies or where it is called from.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest
from floe_core.errors import FloeError, NotReadyError
from floe_core.plugins import DbtError, DbtProjectError, DbtTargetError, Lane
from floe_ops.products import Ask, BuildResult, build_product, demos, truths
from floe_ops.products.places import Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.duckdb, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
PRODUCTS = sorted(path.parent.name for path in (ROOT / "demo").glob("*/floe.yaml"))
PRODUCT = "customer-360"
MODULES = ("test_dbt_lifecycle_e2e.py", "test_data_pipeline.py")
LIFECYCLE = ["compile", "deps", "seed", "run", "test", "docs generate", "semantic", "truths"]
HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
LIMIT_S = 240
ENDING_S = 10.0
INVOKE = str(Path(sys.executable).with_name("invoke"))


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A working directory that has nothing to do with the project."""
    with contextlib.chdir(tmp_path_factory.mktemp("elsewhere")):
        yield


def copy_of(demo: Path, root: Path) -> Path:
    """The demo products below `root`, without what builds by hand have left in them."""
    unwanted = shutil.ignore_patterns("target", "logs", "dbt_packages", "*.duckdb*", "__pycache__")
    return shutil.copytree(demo, root / "demo", ignore=unwanted)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's root with the demo products, in a path with spaces."""
    made = tmp_path_factory.mktemp("a path with spaces") / "the project"
    made.mkdir()
    copy_of(ROOT / "demo", made)
    return made


def words(*more: str) -> list[str]:
    return [INVOKE, "dbt.demo", *more]


def surroundings(root: Path, **more: str) -> dict[str, str]:
    """The variables of a caller whose project lies in `root` and who traces nothing."""
    return {**os.environ, "FLOE_ROOT": str(root), "OTEL_SDK_DISABLED": "true", **more}


def demo(root: Path, *more: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Call the task; whoever asked looks at its exit code."""
    env = surroundings(root, **options.pop("env", {}))
    done: subprocess.CompletedProcess[str] = subprocess.run(
        words(*more), cwd=ROOT, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False, **options
    )
    return done


def results(done: subprocess.CompletedProcess[str]) -> dict[str, BuildResult]:
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return {one["product"]: BuildResult.model_validate(one) for one in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def first(root: Path) -> dict[str, BuildResult]:
    """All products, built side by side."""
    return results(demo(root, "--json"))


@pytest.fixture(scope="module")
def again(root: Path, first: dict[str, BuildResult]) -> dict[str, BuildResult]:
    """All products once more, in another time zone and another language, over what is there."""
    assert first
    return results(demo(root, "--json", env={"TZ": "Pacific/Kiritimati", "LC_ALL": "C"}))


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A project's root of its own, with a product to be broken by one test."""
    shutil.copytree(copy_of(ROOT / "demo", tmp_path / "all") / PRODUCT, tmp_path / "demo" / PRODUCT)
    shutil.copy(ROOT / "demo" / "manifest.yaml", tmp_path / "demo")
    return tmp_path


@pytest.mark.requirement("WU5-AC1")
@pytest.mark.parametrize("product", PRODUCTS)
def test_the_profile_has_a_valid_target_from_any_directory(tmp_path: Path, product: str) -> None:
    assert demos.check_profile(ROOT / "demo" / product, Lane.DUCKDB, home=tmp_path).is_file()


@pytest.mark.requirement("WU5-AC3")
@pytest.mark.parametrize("product", PRODUCTS)
def test_a_path_with_spaces_and_a_foreign_directory_change_nothing(
    first: dict[str, BuildResult], root: Path, product: str
) -> None:
    built, folder = first[product], root / "demo" / product
    assert " " in str(folder)
    assert [step.name for step in built.steps] == LIFECYCLE
    assert len(built.models) >= 6
    assert built.tests_passed >= 20
    assert not list(folder.glob("**/*.duckdb")), "the product's own folder stays as it was"
    assert not {"target", "logs", "dbt_packages"} & {path.name for path in folder.iterdir()}
    places = Places.of(product, Lane.DUCKDB, root / ".floe" / "products")
    for name in ("manifest.json", "run_results.json", "catalog.json"):
        assert (places.dbt / name).is_file(), name


@pytest.mark.requirement("WU5-AC2")
@pytest.mark.parametrize("product", PRODUCTS)
def test_the_sequence_runs_again_elsewhere_on_earth_and_finds_the_same(
    first: dict[str, BuildResult], again: dict[str, BuildResult], product: str
) -> None:
    one, two = first[product], again[product]
    assert (one.rebuilt, two.rebuilt) == (False, True)
    assert [step.name for step in two.steps] == LIFECYCLE
    assert [
        line for mine, theirs in zip(one.tables, two.tables, strict=True) for line in mine.differences(theirs)
    ] == []
    assert (two.truths, two.tests_passed) == (one.truths, one.tests_passed)


@pytest.mark.requirement("WU5-AC2")
@pytest.mark.parametrize("product", PRODUCTS)
def test_the_product_finds_what_was_planted_and_nothing_else(first: dict[str, BuildResult], product: str) -> None:
    planted = {
        one.id: tuple(one.expected) if isinstance(one.expected, list) else str(one.expected)
        for one in truths.load(ROOT / "demo" / product).truths
    }
    assert len(planted) >= 5
    assert {truth.id: truth.found for truth in first[product].truths} == planted


@pytest.mark.requirement("WU5-AC4")
@pytest.mark.parametrize("module", MODULES)
def test_every_test_says_which_lane_it_needs(request: pytest.FixtureRequest, module: str) -> None:
    items = list(pytest.Module.from_parent(request.session, path=ROOT / "tests" / "e2e" / module).collect())
    lanes = {item.name: [mark for mark in ("duckdb", "catalog") if item.get_closest_marker(mark)] for item in items}
    assert len(lanes) >= 4
    assert {name: marks for name, marks in lanes.items() if len(marks) != 1} == {}


@pytest.mark.requirement("WU5-BC1")
def test_a_missing_seed_is_named(broken: Path) -> None:
    product = broken / "demo" / PRODUCT
    (product / "seeds" / "raw_transactions.csv").unlink()
    with pytest.raises(DbtProjectError) as caught:
        build_product(product, Ask(home=broken / "home"))
    assert "'raw_transactions'" in caught.value.what
    assert caught.value.where == str(product / "models" / "staging" / "stg_transactions.sql")


@pytest.mark.requirement("WU5-BC1")
def test_a_seed_with_a_broken_row_is_named_with_its_line(broken: Path) -> None:
    seed = broken / "demo" / PRODUCT / "seeds" / "raw_transactions.csv"
    lines = seed.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[6] = lines[6].rstrip("\n") + ",one,field,too,many\n"
    seed.write_text("".join(lines), encoding="utf-8")
    with pytest.raises(DbtError) as caught:
        build_product(broken / "demo" / PRODUCT, Ask(home=broken / "home"))
    assert caught.value.where.endswith("seeds/raw_transactions.csv:7")


@pytest.mark.requirement("WU5-BC2")
def test_a_locked_database_is_named_with_its_holder(broken: Path) -> None:
    places = Places.of(PRODUCT, Lane.DUCKDB, broken / "home")
    places.database.parent.mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(places.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(FloeError) as caught:
            build_product(broken / "demo" / PRODUCT, Ask(home=broken / "home"))
        holder.stdin.close()
    assert caught.value.where == str(places.database)
    assert f"PID {holder.pid}" in caught.value.why


@pytest.mark.requirement("WU5-BC3")
def test_a_wrong_target_is_named(broken: Path) -> None:
    profile = broken / "demo" / PRODUCT / "profiles.yml"
    text = profile.read_text(encoding="utf-8")
    profile.write_text(text.replace("    duckdb:", "    ducks:").replace("target: duckdb", "target: ducks"), "utf-8")
    with pytest.raises(DbtTargetError) as caught:
        demos.check_profile(profile.parent, Lane.DUCKDB, home=broken / "home")
    assert "'duckdb'" in caught.value.what
    assert caught.value.where == str(profile)
    assert "ducks" in caught.value.why


@pytest.mark.requirement("WU5-BC1")
def test_a_product_that_fails_hides_no_other_and_is_tried_again(root: Path, first: dict[str, BuildResult]) -> None:
    assert set(first) == set(PRODUCTS)
    model = root / "demo" / PRODUCT / "models" / "marts" / "mart_churn_risk.sql"
    right = model.read_text(encoding="utf-8")
    model.write_text(right.replace("select", "select nonsense_column,\n", 1), encoding="utf-8")
    failed = demo(root)
    model.write_text(right, encoding="utf-8")
    said = failed.stdout + failed.stderr
    assert failed.returncode == 4, said[-3000:]
    assert "Traceback" not in said
    assert "mart_churn_risk.sql" in said
    for product in PRODUCTS:
        assert (f"{product}: what it found" in said) == (product != PRODUCT)
    retried = demo(root, "--retry")
    assert retried.returncode == 0, retried.stdout[-3000:] + retried.stderr
    built = [line for line in retried.stdout.splitlines() if "]   model " in line]
    assert [line.split("model ")[1].split(":")[0] for line in built] == ["mart_churn_risk"]


def started(root: Path, until: str) -> tuple[subprocess.Popen[str], list[int]]:
    """A build that has come as far as the line with `until`, and its workers."""
    process = subprocess.Popen(
        words("--product", PRODUCT),
        cwd=ROOT,
        env=surroundings(root),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    heard = read_until(process.stdout, until)
    assert until in heard, heard
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8")
    return process, [int(pid) for pid in children.split() if not is_pythons_own(pid)]


def is_pythons_own(pid: str) -> bool:
    """Whether it is the process by which Python's multiprocessing tidies up; it ends by itself after its parent."""
    return b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()


def read_until(stream: IO[str], until: str) -> str:
    heard = ""
    for line in stream:
        heard += line
        if until in line:
            break
    return heard


def wait_until(condition: Callable[[], bool], limit_s: float) -> bool:
    """Whether the condition holds within `limit_s` seconds."""
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential

    polling = Retrying(
        retry=retry_if_result(lambda held: not held),
        stop=stop_after_delay(limit_s),
        wait=wait_exponential(multiplier=0.05, max=0.5),
    )
    try:
        return bool(polling(condition))
    except RetryError:
        return False


def gone(pids: list[int]) -> bool:
    return not [pid for pid in pids if Path(f"/proc/{pid}").exists() and "Z" not in _state(pid)]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


@pytest.mark.requirement("WU5-BC2")
def test_two_builds_of_a_product_do_not_meet_and_a_kill_leaves_nothing_behind(broken: Path) -> None:
    process, workers = started(broken, "seed raw_")
    try:
        with pytest.raises(NotReadyError) as caught:
            build_product(broken / "demo" / PRODUCT, Ask(home=broken / ".floe" / "products"))
        assert any(f"process {pid} " in caught.value.why for pid in workers)
    finally:
        process.kill()
        process.communicate()
    assert wait_until(lambda: gone(workers), ENDING_S), "the workers end with a parent that was killed"
    assert results(demo(broken, "--json"))[PRODUCT].tests_passed >= 20


@pytest.mark.requirement("WU5-BC2")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_workers_soon(broken: Path, number: signal.Signals) -> None:
    process, workers = started(broken, "seed raw_")
    began = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=ENDING_S)
    assert time.monotonic() - began < ENDING_S
    assert process.returncode == 128 + number
    assert workers
    assert gone(workers)


@pytest.mark.requirement("WU5-BC2")
def test_a_full_disk_is_told_and_the_next_build_is_whole(broken: Path) -> None:
    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    failed = demo(broken, "--product", PRODUCT, preexec_fn=full)
    said = failed.stdout + failed.stderr
    assert failed.returncode not in {0, 1}, said[-3000:]
    assert "Traceback" not in said
    assert "too large" in said, said[-3000:]
    assert results(demo(broken, "--json"))[PRODUCT].tests_passed >= 20
