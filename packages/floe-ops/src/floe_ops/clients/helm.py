"""A typed client of the Helm command line, for Helm 3.14+ and Helm 4.

What differs between the majors: `--atomic` became `--rollback-on-failure`, `--wait` names a strategy, and `list`
shows every status by itself. Values reach Helm by its standard input, never by `--set` or a file, so that a secret
among them is on no command line and on no disk. Helm keeps its own files below `.floe/helm`, where no
repository is known: charts are folders or archives on this machine.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from floe_core.errors import MissingToolError, UsageError

from floe_ops import project
from floe_ops.clients.helm_model import Release, Revision, Status, read_history, read_list, read_release
from floe_ops.clients.helm_process import GRACE_S, Call, ReleaseBusyError, ReleaseMissingError, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = [
    "Helm",
    "Place",
    "Release",
    "ReleaseBusyError",
    "ReleaseMissingError",
    "Revision",
    "Status",
    "Values",
    "Version",
    "choose",
]

ASK_S = 60.0  # a question that changes nothing
CHANGE_S = 300.0  # Helm's own default for what it waits for
OLDEST = (3, 14)
NEXT_MAJOR = 4
SECRET_KEY = re.compile(r"passw|secret|token|key|credential", re.IGNORECASE)
SHORTEST_SECRET = 4


@dataclass(frozen=True)
class Version:
    """Helm's version: `text` without its leading v."""

    major: int
    minor: int
    text: str


@dataclass(frozen=True)
class Place:
    """Where releases are.

    Attributes:
        namespace: Kubernetes' namespace.
        kubeconfig: The file that says how to reach the cluster; None for what KUBECONFIG or the home folder names.
        context: Which of its contexts; empty for its current one.
    """

    namespace: str = "floe-test"
    kubeconfig: Path | None = None
    context: str = ""


@dataclass(frozen=True)
class Values:
    """What a chart is given: files first, in their order, then `inline`, which wins over them."""

    files: tuple[Path, ...] = ()
    inline: Mapping[str, Any] | None = None

    def arguments(self) -> list[str]:
        """The words for Helm; raises UsageError where a file is missing."""
        missing = [str(file) for file in self.files if not file.is_file()]
        if missing:
            raise UsageError("a values file is missing", where=", ".join(missing), remedy="name a file that is there")
        words = [word for file in self.files for word in ("--values", str(file))]
        return [*words, "--values", "-"] if self.inline else words

    @property
    def text(self) -> str:
        """What Helm reads from its standard input."""
        return yaml.safe_dump(dict(self.inline)) if self.inline else ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Inline texts whose key sounds like a secret's; no error repeats them."""
        return tuple(_secrets(self.inline or {}))


HERE = Place()
NOTHING = Values()


@dataclass(frozen=True)
class Helm:
    """One Helm, for the releases of one place.

    Attributes:
        program: The command line to use; see `choose`.
        place: Where the releases are.
        hear: Is given each line that Helm prints while it changes something; called from another thread.
        deadline_s: Seconds that a change may take; what Helm waits for gets as long, the whole call a little more.
    """

    program: Path
    place: Place = HERE
    hear: Callable[[str], None] | None = None
    deadline_s: float = CHANGE_S

    @cached_property
    def version(self) -> Version:
        """Of the program.

        Raises:
            MissingToolError: It is none, or older than 3.14.
        """
        text = run(self._call(["version", "--template", "{{.Version}}"], str(self.program), ASK_S)).strip()
        found = _version(text)
        if found is None or (found.major, found.minor) < OLDEST:
            raise MissingToolError(
                "this Helm is not of use",
                where=str(self.program),
                why=f"it says it is {text[:60]!r}; 3.14 is the oldest that will do",
                remedy="unset FLOE_TOOL_HELM to have one built, or name a newer one",
            )
        return found

    def within(self, deadline_s: float) -> Helm:
        """The same with another deadline, in seconds."""
        return replace(self, deadline_s=deadline_s)

    def status(self, release: str, revision: int | None = None) -> Release:
        """The release, or that revision of it; raises ReleaseMissingError when there is none."""
        return read_release(self._ask(release, ["status", release, "-o", "json", *_revision(revision)]))

    def history(self, release: str) -> tuple[Revision, ...]:
        """Every revision that is kept, oldest first; none when there is no such release."""
        try:
            return read_history(self._ask(release, ["history", release, "-o", "json", "--max", "1000"]))
        except ReleaseMissingError:
            return ()

    def releases(self) -> tuple[Release, ...]:
        """Every release in the namespace, whatever its status."""
        every = ["--all"] if self.version.major < NEXT_MAJOR else []
        return read_list(self._ask("every release", ["list", "-o", "json", *every]))

    def values(self, release: str, revision: int | None = None, *, computed: bool = False) -> dict[str, Any]:
        """What the release was given; with the chart's own defaults when `computed`. May hold secrets."""
        every = ["--all"] if computed else []
        return json.loads(
            self._ask(release, ["get", "values", release, "-o", "json", *every, *_revision(revision)])
        ) or {}  # fmt: skip

    def manifest(self, release: str, revision: int | None = None) -> str:
        """What the release put into the cluster, hooks not included; holds its Secrets."""
        return self._ask(release, ["get", "manifest", release, *_revision(revision)])

    def install(self, release: str, chart: Path, values: Values = NOTHING, **options: bool) -> Release:
        """Install a release that is not there yet; options as `upgrade`'s."""
        return self._apply(["install", release, str(chart)], release, chart, values, options)

    def upgrade(self, release: str, chart: Path, values: Values = NOTHING, **options: bool) -> Release:
        """Bring a release to this chart and these values.

        Args:
            release: Its name.
            chart: A folder or an archive.
            values: What the chart is given.
            options: `install` installs it when it is not there; `wait` (True) until everything is ready; `atomic` rolls
                back what failed; `make_namespace` makes the namespace.

        Raises:
            NotReadyError: It is not ready in time; the release is `failed` then.
            ReleaseBusyError: The release is being changed, or stuck.
            FloeError: As `helm_process.run`.
        """
        install = ["--install"] if options.pop("install", False) else []
        return self._apply(["upgrade", release, str(chart), *install], release, chart, values, options)

    def rollback(self, release: str, revision: int, *, wait: bool = True) -> None:
        """Make a new revision with the content of an older one; raises as `upgrade`."""
        words = ["rollback", release, str(revision), *self._waiting(wait=wait)]
        self._change(release, words)

    def uninstall(self, release: str, *, wait: bool = True) -> None:
        """Remove a release and its history; what it marked `keep` and claims made by StatefulSets stay."""
        self._change(release, ["uninstall", release, *self._waiting(wait=wait)])

    def test(self, release: str) -> str:
        """Run the release's tests and return what Helm says, the test pods' logs included; raises as `upgrade`."""
        words = ["test", release, "--logs", "--timeout", _seconds(self.deadline_s)]
        call = self._call(words, self._about(release), self.deadline_s + GRACE_S)
        return run(replace(call, hear=self.hear, hear_output=True))

    def template(  # noqa: PLR0913 - Helm's own options
        self,
        release: str,
        chart: Path,
        values: Values = NOTHING,
        *,
        kube_version: str = "",
        upgrade: bool = False,
        only: Sequence[str] = (),
    ) -> str:
        """The chart's manifests as they would be applied, rendered without a cluster.

        Args:
            release: The name to render for.
            chart: A folder or an archive.
            values: What the chart is given.
            kube_version: The Kubernetes to render for, `1.34`; Helm's own default when empty.
            upgrade: Render what an upgrade would, not an install.
            only: Templates to render, by their path in the chart.

        Raises:
            FloeError: The chart does not render.
        """
        words = ["template", release, _chart(chart), *values.arguments()]
        words += ["--kube-version", kube_version] if kube_version else []
        words += ["--is-upgrade"] if upgrade else []
        words += [word for path in only for word in ("--show-only", path)]
        return self._ask(f"{chart}", words, values)

    def lint(self, chart: Path, values: Values = NOTHING, *, kube_version: str = "") -> str:
        """What `helm lint --strict` says of a chart; raises FloeError when that is not good.

        Its subcharts are looked at too where no values are given: Helm would hand them the parent's as they are.
        """
        inner = [] if values.files or values.inline else ["--with-subcharts"]
        words = ["lint", _chart(chart), "--strict", *inner, *values.arguments()]
        words += ["--kube-version", kube_version] if kube_version else []
        return self._ask(f"{chart}", words, values)

    @contextmanager
    def alone(self, release: str, deadline_s: float = 0.0) -> Iterator[None]:
        """Keep other processes of this checkout from changing the release; ends with this process, also if killed.

        Args:
            release: Its name.
            deadline_s: Seconds to wait for whoever changes it now.

        Raises:
            ReleaseBusyError: Somebody still changes it.
        """
        from filelock import FileLock, Timeout

        whose = "\0".join((_kubeconfig(self.place), self.place.context, self.place.namespace, release))
        folder = _home() / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{hashlib.sha256(whose.encode()).hexdigest()[:24]}.lock"
        lock = FileLock(path, is_singleton=True)  # so that a healer may roll back inside of its own lock
        try:
            lock.acquire(timeout=deadline_s)
        except Timeout:
            raise ReleaseBusyError(
                "the release is being changed by another process of this checkout",
                where=self._about(release),
                why=f"it still holds the lock after {deadline_s:g} s",
                remedy="wait until it has ended",
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _apply(self, words: list[str], release: str, chart: Path, values: Values, options: dict[str, bool]) -> Release:
        _chart(chart)
        words += values.arguments()
        words += ["-o", "json", *self._waiting(wait=options.pop("wait", True))]
        if options.pop("atomic", False):
            words.append("--atomic" if self.version.major < NEXT_MAJOR else "--rollback-on-failure")
        if options.pop("make_namespace", False):
            words.append("--create-namespace")
        if options:
            raise TypeError(f"unknown options: {', '.join(options)}")
        return read_release(self._change(release, words, values))

    def _waiting(self, *, wait: bool) -> list[str]:
        timeout = ["--timeout", _seconds(self.deadline_s)]
        if not wait:
            return timeout
        return [*timeout, "--wait" if self.version.major < NEXT_MAJOR else "--wait=watcher"]

    def _change(self, release: str, words: list[str], values: Values = NOTHING) -> str:
        """Run what changes the release, while no other process of this checkout does."""
        words += ["--debug"] if self.hear else []
        call = self._call(words, self._about(release), self.deadline_s + GRACE_S)
        with self.alone(release):
            return run(replace(call, stdin=values.text, hidden=values.secrets, hear=self.hear))

    def _ask(self, about: str, words: list[str], values: Values = NOTHING) -> str:
        call = self._call(words, about if "/" in about else self._about(about), ASK_S)
        return run(replace(call, stdin=values.text, hidden=values.secrets))

    def _call(self, words: list[str], about: str, deadline_s: float) -> Call:
        where = ["--namespace", self.place.namespace] if words[0] not in {"version", "lint"} else []
        where += ["--kube-context", self.place.context] if self.place.context and where else []
        return Call(self.program, (*words, *where), _environment(self.place), deadline_s, about)

    def _about(self, release: str) -> str:
        context = f", context {self.place.context}" if self.place.context else ""
        return f"release {release}, namespace {self.place.namespace}{context}"


def choose(place: Place = HERE, hear: Callable[[str], None] | None = None) -> Helm:
    """The Helm to use: the one that FLOE_TOOL_HELM names, that of the machine if it is new enough, else one built here.

    Raises:
        MissingToolError: None of them can be had.
    """
    from floe_ops import toolchain
    from floe_ops.toolchain.tools import override

    named = override("helm")
    if named is not None:
        return Helm(named, place, hear)
    found = shutil.which("helm")
    if found is not None:
        helm = Helm(Path(found), place, hear)
        try:
            _ = helm.version
        except MissingToolError:
            pass  # too old, or no Helm at all: ours will do
        else:
            return helm
    return Helm(toolchain.ensure("helm"), place, hear)


def _version(text: str) -> Version | None:
    match = re.match(r"v?(\d+)\.(\d+)(\S*)", text)
    return Version(int(match[1]), int(match[2]), text.removeprefix("v")) if match else None


def _environment(place: Place) -> dict[str, str]:
    """Everybody's environment, for the credential plugins of kubeconfigs, but none of Helm's own settings.

    Except for its driver: it says where releases are recorded.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HELM_") or name == "HELM_DRIVER"}
    home = _home()
    return {
        **kept,
        "KUBECONFIG": _kubeconfig(place),
        "HELM_CACHE_HOME": str(home / "cache"),
        "HELM_CONFIG_HOME": str(home / "config"),
        "HELM_DATA_HOME": str(home / "data"),
    }


def _kubeconfig(place: Place) -> str:
    return str(place.kubeconfig) if place.kubeconfig else os.environ.get("KUBECONFIG", "")


def _home() -> Path:
    return project.state() / "helm"


def _chart(chart: Path) -> str:
    """The chart's path as Helm takes it: always as a path, so that it never looks for a repository of that name."""
    if not ((chart / "Chart.yaml").is_file() or chart.is_file()):
        raise UsageError("there is no chart", where=str(chart), remedy="name a chart's folder, or its archive")
    return str(chart.absolute())


def _revision(revision: int | None) -> list[str]:
    return ["--revision", str(revision)] if revision is not None else []


def _seconds(seconds: float) -> str:
    return f"{max(1, math.ceil(seconds))}s"


def _secrets(inner: Any, key: str = "") -> Iterator[str]:
    if isinstance(inner, dict):
        for name, value in inner.items():
            yield from _secrets(value, str(name))
    elif isinstance(inner, list):
        for value in inner:
            yield from _secrets(value, key)
    elif isinstance(inner, str) and SECRET_KEY.search(key) and len(inner) >= SHORTEST_SECRET:
        yield inner
