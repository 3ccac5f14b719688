"""Commands one by one: init, explain, plugins, completion, compile --outputs, and what all of them share."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
import yaml
from click.testing import Result
from floe_core.cli import failing, run_command, stopping
from floe_core.cli.compile_command import OUTPUTS
from floe_core.cli.main import COMMANDS, EXIT_CODES
from floe_core.compilation import KINDS
from floe_core.errors import ExitCode
from floe_core.plugins import PluginType
from floe_core.registry import PluginEntry, Registry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Floe = Callable[..., Result]


class TestHelp:
    """What people read first."""

    def test_documents_every_exit_code(self, floe: Floe) -> None:
        told = floe("--help").output
        assert {int(code) for code in ExitCode} <= set(EXIT_CODES)
        assert all(f"{code}" in told and meaning in told for code, meaning in EXIT_CODES.items())

    @pytest.mark.parametrize("name", COMMANDS)
    def test_of_every_command_has_an_example(self, floe: Floe, name: str) -> None:
        told = floe(name, "--help").output
        assert "Example: " in told
        assert "--debug" in told


class TestInit:
    """`floe init`."""

    def test_makes_a_product_that_validates(self, floe: Floe, tmp_path: Path) -> None:
        done = floe("init", "orders", "--dir", tmp_path / "my products")
        assert done.exit_code == 0, done.output
        assert f"next: floe run '{tmp_path}/my products/orders'" in done.output
        assert floe("validate", tmp_path / "my products" / "orders").exit_code == 0

    def test_refuses_twice(self, floe: Floe, tmp_path: Path) -> None:
        floe("init", "orders", "--dir", tmp_path)
        done = floe("init", "orders", "--dir", tmp_path)
        assert done.exit_code == 2
        assert "nothing is overwritten" in done.stderr


class TestExplain:
    """`floe explain`."""

    def test_prints_title_cause_cure_and_example(self, floe: Floe) -> None:
        told = floe("explain", "FLOE-E203").output
        assert told.startswith("FLOE-E203  A plugin cannot be used")
        assert all(f"\n{part}\n" in told for part in ("Cause", "Cure", "Example"))
        assert max(map(len, told.splitlines())) <= 120

    def test_lists_all(self, floe: Floe) -> None:
        codes = [line.split()[0] for line in floe("explain").output.splitlines()]
        assert codes == sorted(codes)
        assert [one["code"] for one in json.loads(floe("explain", "--json").stdout)] == codes

    def test_answers_an_unknown_code_with_the_nearest(self, floe: Floe) -> None:
        done = floe("explain", "FLOE-E2030")
        assert done.exit_code == 2
        assert "floe explain FLOE-E" in done.stderr
        assert json.loads(floe("explain", "nonsense", "--json").stdout)["exit_code"] == 2


class TestPlugins:
    """`floe plugins`."""

    def test_lists_each_with_type_distribution_version_and_description(self, floe: Floe) -> None:
        rows = {row["name"]: row for row in json.loads(floe("plugins", "compute", "--json").stdout)}
        assert set(rows) == {"duckdb", "spark"}
        assert rows["duckdb"]["distribution"] == "floe-compute-duckdb"
        assert rows["duckdb"]["state"] == "ok"
        assert rows["duckdb"]["description"]
        assert "floe-compute-duckdb 0.1.0" in floe("plugins").output

    def test_shows_one_that_is_broken_with_the_reason(
        self,
        floe: Floe,
        plugin_module: Callable[..., PluginEntry],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        entry = plugin_module(PluginType.CATALOG, "bad", "import no_such_module_at_all\n")
        monkeypatch.setattr("floe_core.cli.listing.Registry", lambda: Registry([entry]))
        done = floe("plugins")
        assert done.exit_code == 0
        assert "broken" in done.output
        assert "no_such_module_at_all" in done.output

    def test_an_unknown_type_is_answered_with_the_nearest(self, floe: Floe) -> None:
        done = floe("plugins", "computes")
        assert done.exit_code == 2
        assert "write compute" in done.stderr

    HEALTH = """
        from floe_core.plugins import HealthState, HealthStatus, LineageBackendPlugin, NoConfig
        import threading
        class Plugin(LineageBackendPlugin[NoConfig]):
            name = "{name}"; version = "0.1.0"; floe_api_version = "1.0"; tracer_name = "t"
            def emit(self, event): pass
            def health_check(self, timeout_s):
                {body}
    """

    @pytest.fixture
    def asked(
        self, floe: Floe, example: Path, plugin_module: Callable[..., PluginEntry], monkeypatch: pytest.MonkeyPatch
    ) -> Callable[..., Result]:
        def ask(body: str, *words: str) -> Result:
            entry = plugin_module(PluginType.LINEAGE_BACKEND, "made-up", self.HEALTH.format(name="made-up", body=body))
            real = Registry()
            entries = [*(one for one in real.entries() if one.name in {"duckdb", "core"}), entry]
            monkeypatch.setattr("floe_core.cli.listing.Registry", lambda: Registry(entries))
            content = {
                "apiVersion": "floe.dev/v1",
                "kind": "Manifest",
                "metadata": {"name": "m", "version": "1.0.0", "owner": "us"},
                "plugins": {"compute": {"type": "duckdb"}, "lineage_backend": {"type": "made-up"}},
            }
            path = example / "health.yaml"
            path.write_text(yaml.safe_dump(content))
            return floe("plugins", *words, "--health", "--manifest", path, "--timeout", "0.2", "--json")

        return ask

    def test_health_asks_the_chosen_ones(self, asked: Callable[[str], Result]) -> None:
        done = asked("return HealthStatus(HealthState.HEALTHY, 'all is well', {'events': '7'})")
        rows = {row["type"]: row for row in json.loads(done.stdout)}
        assert done.exit_code == 0
        assert set(rows) == {"compute", "dbt", "lineage_backend"}
        assert (rows["lineage_backend"]["state"], rows["lineage_backend"]["why"]) == ("healthy", "all is well")

    def test_health_that_is_not_well_ends_with_4(self, asked: Callable[[str], Result]) -> None:
        assert asked("return HealthStatus(HealthState.UNHEALTHY, 'on fire')").exit_code == 4

    def test_health_of_one_type_asks_that_one(self, asked: Callable[..., Result]) -> None:
        done = asked("return HealthStatus(HealthState.UNHEALTHY, 'on fire')", "dbt")
        assert done.exit_code == 0
        assert [row["type"] for row in json.loads(done.stdout)] == ["dbt"]

    @pytest.mark.parametrize("kind", ["computes", "catalog"])
    def test_health_of_a_type_that_nobody_has_is_a_matter_of_usage(
        self, asked: Callable[..., Result], kind: str
    ) -> None:
        assert asked("return None", kind).exit_code == 2

    def test_health_that_hangs_is_bounded(self, asked: Callable[[str], Result]) -> None:
        done = asked("threading.Event().wait(100)")
        assert done.exit_code == 4
        assert "no answer" in {row["state"] for row in json.loads(done.stdout)}

    @pytest.mark.parametrize("words", [("--health",), ("--health", "--manifest", "x", "--timeout", "nan")])
    def test_health_asked_wrongly_is_a_matter_of_usage(self, floe: Floe, words: tuple[str, ...]) -> None:
        assert floe("plugins", *words).exit_code == 2


class TestCompile:
    """`floe compile --outputs`."""

    def test_writes_what_the_lanes_and_the_cluster_need(self, floe: Floe, example: Path, tmp_path: Path) -> None:
        done = floe("compile", example / "orders", "--outputs", tmp_path / "out", "--namespace", "data", "--json")
        assert done.exit_code == 0, done.output
        written = json.loads(done.stdout)["outputs"]
        assert str(tmp_path / "out" / "profiles.yml") in written
        assert all(Path(path).is_file() for path in written)
        config_map = yaml.safe_load((tmp_path / "out" / "configmap.yaml").read_text())
        assert config_map["metadata"]["namespace"] == "data"
        kept = (example / "orders" / "target" / "compiled_artifacts.json").read_text()
        assert config_map["data"]["compiled_artifacts.json"] == kept

    def test_writes_only_what_is_asked_for(self, floe: Floe, example: Path, tmp_path: Path) -> None:
        words = ["--only", "profiles.yml", "--only", "rbac.yaml"]
        done = floe("compile", example / "orders", "--outputs", tmp_path / "out", *words, "--json")
        assert done.exit_code == 0, done.output
        assert {path.name for path in (tmp_path / "out").iterdir()} <= {"profiles.yml", "rbac.yaml"}
        assert (tmp_path / "out" / "profiles.yml").is_file()
        assert OUTPUTS == KINDS
        assert floe("compile", example / "orders", *words).exit_code == 2

    def test_that_is_too_large_for_a_config_map_still_has_the_other_outputs(
        self, floe: Floe, example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("floe_core.compilation.outputs.MAX_CONFIG_MAP_BYTES", 1000)
        words = ["compile", example / "orders", "--outputs", tmp_path / "out"]
        refused = floe(*words)
        assert refused.exit_code == 4
        assert "--only" in refused.stderr
        assert floe(*words, "--only", "profiles.yml").exit_code == 0
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["profiles.yml"]

    def test_a_name_that_kubernetes_refuses_is_a_matter_of_usage(self, floe: Floe, example: Path) -> None:
        assert floe("compile", example / "orders", "--namespace", "Not A Name").exit_code == 2


class TestCompletion:
    """Words that a shell offers."""

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_prints_the_shells_lines(self, floe: Floe, shell: str) -> None:
        done = floe("completion", shell)
        assert done.exit_code == 0
        assert f"_FLOE_COMPLETE={shell}_complete" in done.stdout

    @pytest.mark.parametrize(
        ("line", "wanted"),
        [
            ("floe val", "validate"),
            ("floe explain floe-e20", "FLOE-E203"),
            ("floe plugins lin", "lineage_backend"),
            ("floe run --la", "--lane"),
            ("floe run --lane ice", "iceberg"),
            ("floe compile my", "my products/orders"),
        ],
    )
    def test_offers_commands_codes_types_options_and_products(self, example: Path, line: str, wanted: str) -> None:
        (example / "orders").rename(example / "moved")
        (example / "my products").mkdir()
        (example / "moved").rename(example / "my products" / "orders")
        words = line.split()
        env = {
            **os.environ,
            "_FLOE_COMPLETE": "zsh_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        }
        program = [sys.executable, "-c", "from floe_core.cli import main; main(prog_name='floe')"]
        done = subprocess.run(program, env=env, cwd=example, capture_output=True, text=True, timeout=60, check=False)
        assert wanted in done.stdout.splitlines(), done


def test_a_shell_does_not_wait_for_more_folders_than_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep" / "product").mkdir(parents=True)
    (tmp_path / "deep" / "product" / "floe.yaml").touch()
    for number in range(8):
        (tmp_path / f"empty-{number}").mkdir()
    parameter = run_command.command.params[0]
    offered = [one.value for one in parameter.shell_complete(click.Context(run_command.command), f"{tmp_path}/")]
    assert offered == [str(tmp_path / "deep" / "product")]
    monkeypatch.setattr("floe_core.cli.arguments.MAX_LOOKED_AT", 5)
    offered = [one.value for one in parameter.shell_complete(click.Context(run_command.command), f"{tmp_path}/")]
    assert offered == [f"{tmp_path}/"]


class TestUnforeseen:
    """Errors of floe itself."""

    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def boom(*_args: object, **_kwargs: object) -> None:
            raise KeyError("planted-value-of-a-secret")

        monkeypatch.setattr("floe_core.compilation.validate_product", boom)

    @pytest.mark.usefixtures("broken")
    def test_are_told_with_place_and_how_to_report(self, floe: Floe) -> None:
        done = floe("validate", "x")
        assert done.exit_code == 1
        assert "did not foresee: KeyError" in done.stderr
        assert "test_commands.py:" in done.stderr
        assert "--debug" in done.stderr
        assert "Traceback" not in done.stderr
        assert "planted" not in done.output

    @pytest.mark.usefixtures("broken")
    def test_are_json_where_json_is_asked_for(self, floe: Floe) -> None:
        assert json.loads(floe("validate", "x", "--json").stdout)["exit_code"] == 1

    @pytest.mark.parametrize("words", [("--debug", "validate", "x"), ("validate", "x", "--debug")])
    @pytest.mark.usefixtures("broken")
    def test_show_their_trace_on_demand(self, floe: Floe, words: tuple[str, ...]) -> None:
        assert isinstance(floe(*words).exception, KeyError)

    @pytest.mark.usefixtures("broken")
    def test_show_their_trace_at_the_level_debug(self, floe: Floe) -> None:
        assert isinstance(floe("validate", "x", env={"FLOE_LOG_LEVEL": "DEBUG"}).exception, KeyError)


STOPPED = """
import os, signal, sys, threading
from floe_core.cli.stopping import Stopped, stoppable
try:
    with stoppable({grace}):
        print("ready", flush=True)
        threading.Event().wait(60)
except Stopped as stop:
    {after}
    print(stop, flush=True)
    sys.exit(stop.exit_code)
"""


class TestStopping:
    """Signals."""

    @staticmethod
    def stopped(number: int, after: str = "pass", grace: float = 10.0) -> tuple[int, str]:
        program = [sys.executable, "-c", STOPPED.format(grace=grace, after=after)]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            process.send_signal(number)
            said, _ = process.communicate(timeout=30)
            return process.returncode, said

    def test_end_the_work_with_the_shells_code(self) -> None:
        assert self.stopped(signal.SIGINT) == (130, "stopped by SIGINT\n")
        assert self.stopped(signal.SIGTERM) == (143, "stopped by SIGTERM\n")

    def test_leave_the_handlers_as_they_were(self) -> None:
        before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
        with stopping.stoppable():
            assert signal.getsignal(signal.SIGTERM) not in before
        assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before

    def test_of_a_work_that_does_not_end_end_it_all_the_same(self) -> None:
        code = """
import threading
from floe_core.cli.stopping import stoppable
with stoppable(0.2):
    try:
        print("ready", flush=True)
        threading.Event().wait(60)
    finally:
        threading.Event().wait(60)
"""
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 143


class TestLogs:
    """Log lines on standard error."""

    def test_a_level_that_is_none_is_a_matter_of_usage(self, floe: Floe, example: Path) -> None:
        done = floe("run", example / "orders", env={"FLOE_LOG_LEVEL": "loud"})
        assert done.exit_code == 2
        assert "debug, info, warning, error" in done.stderr

    def test_are_json_where_the_platform_wants_that(self) -> None:
        code = "from floe_core.cli.logs import Log; Log('info', 'json').write('info', 'said', rows=3)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
        line = json.loads(done.stderr)
        assert (line["event"], line["rows"], line["level"]) == ("said", 3, "info")
        assert done.stdout == ""

    def test_below_the_level_cost_no_import(self) -> None:
        code = "import sys; from floe_core.cli.logs import Log; Log('error').write('info', 'x'); "
        code += "assert 'structlog' not in sys.modules"
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


WORDS = st.one_of(
    st.sampled_from([*COMMANDS, "--json", "--manifest", "--output", "-", "--lane", "duckdb", "--select", "--health"]),
    st.sampled_from(["--dir", "--timeout", "1e999", "/dev/null", ".", "..", "/", "\0", "\udcff", "a" * 300, "--debug"]),
    st.text(max_size=12),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(WORDS, max_size=5))
def test_no_words_give_a_trace(
    floe: Floe, words: list[str], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("anywhere"))
    done = floe(*words)
    assert done.exit_code in EXIT_CODES, (words, done.output)
    assert done.exit_code != int(ExitCode.FAILED), (words, done.output)
    assert done.exception is None or isinstance(done.exception, SystemExit), words
    assert "Traceback" not in done.output


def test_failures_have_one_shape(floe: Floe, tmp_path: Path) -> None:
    told = json.loads(floe("compile", tmp_path / "no", "--json").stdout)
    assert set(told) == {"ok", "what", "where", "why", "remedy", "exit_code", "problems"}
    assert failing.DEBUG == "floe.debug"
