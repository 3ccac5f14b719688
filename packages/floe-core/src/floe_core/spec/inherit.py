"""A domain's manifest joined with its enterprise's.

Plugins that the domain does not choose come from the enterprise, and so do rules that it does not state. Where both
state a rule the stricter holds, and a domain that states a looser one is told so. What is approved is the
enterprise's word alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from floe_core.spec import problems
from floe_core.spec.base import SpecModel
from floe_core.spec.governance import EnforcementLevel, Governance
from floe_core.spec.load import Document, read, validated
from floe_core.spec.platform import PlatformManifest, PluginSelections, Scope
from floe_core.spec.problems import SpecError
from floe_core.spec.source import Advice, JoinedSource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from floe_core.spec.load import Text
    from floe_core.spec.platform import DomainManifest
    from floe_core.spec.problems import Problem
    from floe_core.spec.source import Loc, Source

S = TypeVar("S", bound=SpecModel)
Inherited = dict["Loc", "Source"]


def with_parent(domain: Document[DomainManifest]) -> Document[PlatformManifest]:
    """The whole manifest of a domain; `parents` of the document holds the enterprise's.

    Raises:
        SpecError: The parent cannot be read, is wrong, or is no enterprise's; a rule of the domain is looser.
    """
    parent = _parent(domain)
    inherited: Inherited = {}
    governance, looser = _governance(domain, parent, inherited)
    if looser:
        raise SpecError(looser)
    own, above = domain.model, parent.model
    model = above.model_copy(
        update={
            "metadata": own.metadata,
            "scope": Scope.DOMAIN,
            "governance": governance,
            "plugins": _plugins(domain, parent, inherited),
            "observability": _overlaid(own.observability, above.observability, ("observability",), inherited, parent),
            "approved_products": own.approved_products,
        }
    )
    inherited |= {(name,): parent.source for name in ("approved_plugins", "approved_sinks")}
    inherited |= {
        (name,): parent.source for name in ("plugins", "governance", "observability") if not _says(domain, name)
    }
    source = JoinedSource(domain.source.file, domain.source.root, inherited)
    return Document(domain.path, domain.raw, source, model, (parent,))


def _says(document: Document[Any], *loc: str) -> bool:
    return document.source.value(loc) is not None


def _parent(domain: Document[DomainManifest]) -> Document[PlatformManifest]:
    path = Path(domain.path.parent, domain.model.parent_manifest)
    if _same(path, domain.path):
        raise _refused(domain, "it names itself", "name the enterprise's manifest")
    try:
        text = read(path)
    except SpecError as error:
        if error.problems[0].code != problems.UNREADABLE:
            raise
        raise _refused(domain, error.why, "name a manifest that is there, relative to this file") from None
    if (scope := text.source.value(("scope",))) != Scope.ENTERPRISE:
        raise _refused(domain, _why_no_parent(domain, text, scope), "name a manifest with scope: enterprise")
    return validated(text, PlatformManifest)


def _why_no_parent(domain: Document[DomainManifest], text: Text, scope: object) -> str:
    above = text.source.value(("parent_manifest",))
    if isinstance(above, str) and _same(Path(text.path.parent, above), domain.path):
        return "the two manifests are each other's parent"
    return "the manifest there is a domain's" if scope == Scope.DOMAIN else "the manifest there is no enterprise's"


def _same(one: Path, other: Path) -> bool:
    try:
        return one.resolve() == other.resolve()
    except (OSError, ValueError, RuntimeError):  # a loop of links, or a NUL in the path; reading it tells that
        return False


def _refused(domain: Document[DomainManifest], reason: str, remedy: str) -> SpecError:
    advice = Advice(reason, remedy=remedy)
    return SpecError([domain.source.problem(problems.PARENT_MANIFEST, ("parent_manifest",), advice)])


def _plugins(
    domain: Document[DomainManifest], parent: Document[PlatformManifest], inherited: Inherited
) -> PluginSelections:
    chosen: dict[str, Any] = {}
    for name in PluginSelections.model_fields:
        own = getattr(domain.model.plugins, name)
        chosen[name] = own if own is not None else getattr(parent.model.plugins, name)
        if own is None and _says(parent, "plugins", name):
            inherited["plugins", name] = parent.source
    return parent.model.plugins.model_copy(update=chosen)


def _overlaid(own: S, above: S, loc: Loc, inherited: Inherited, parent: Document[Any]) -> S:
    """`own` with what it does not say from `above`."""
    update: dict[str, Any] = {}
    for name in type(own).model_fields:
        if name not in above.model_fields_set:
            continue
        theirs, mine = getattr(above, name), getattr(own, name)
        if name not in own.model_fields_set:
            update[name] = theirs
            inherited[*loc, name] = parent.source
        elif isinstance(mine, SpecModel):
            update[name] = _overlaid(mine, theirs, (*loc, name), inherited, parent)
    return own.model_copy(update=update)


def _governance(
    domain: Document[DomainManifest], parent: Document[PlatformManifest], inherited: Inherited
) -> tuple[Governance | None, list[Problem]]:
    own, above = domain.model.governance, parent.model.governance
    if own is None or above is None:
        return own or above, []
    looser: list[Problem] = []
    update: dict[str, Any] = {}
    for name in above.model_fields_set:
        theirs, mine = getattr(above, name), getattr(own, name)
        if name not in own.model_fields_set:
            update[name] = theirs
            inherited["governance", name] = parent.source
        elif name in _JOINED:
            update[name] = _JOINED[name](mine, theirs)
        elif not _at_least_as_strict(mine, theirs):
            looser.append(_looser(domain, parent, name))
    for tier in set(above.required_tags) - set(own.required_tags):
        inherited["governance", "required_tags", tier] = parent.source
    return own.model_copy(update=update), looser


def _looser(domain: Document[DomainManifest], parent: Document[PlatformManifest], name: str) -> Problem:
    loc = ("governance", name)
    there = parent.source.problem("", loc, Advice(""))
    what = f"it is {there.value}" if there.value != "a mapping" else "it is another"
    advice = Advice(
        f"a domain cannot loosen what its enterprise rules; {what} in {there.where}",
        remedy="remove it, or write what is at least as strict",
    )
    return domain.source.problem(problems.LOOSENED_RULE, loc, advice)


def _at_least_as_strict(mine: object, theirs: object) -> bool:
    if theirs is None or mine == theirs:
        return True
    if isinstance(mine, EnforcementLevel) and isinstance(theirs, EnforcementLevel):
        order = list(EnforcementLevel)
        return order.index(mine) > order.index(theirs)
    # True is stricter than False, a larger minimum than a smaller; two conventions for names cannot be compared.
    return isinstance(mine, int) and isinstance(theirs, int) and mine > theirs


def _union(mine: tuple[Any, ...], theirs: tuple[Any, ...]) -> tuple[Any, ...]:
    # The domain's own come first, so that their positions stay those of its file.
    return tuple(dict.fromkeys((*mine, *theirs)))


def _tags(mine: Mapping[Any, tuple[Any, ...]], theirs: Mapping[Any, tuple[Any, ...]]) -> dict[Any, tuple[Any, ...]]:
    return {tier: _union(mine.get(tier, ()), theirs.get(tier, ())) for tier in (*mine, *(set(theirs) - set(mine)))}


_JOINED: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "restricted_classifications": _union,
    "required_tags": _tags,
}
