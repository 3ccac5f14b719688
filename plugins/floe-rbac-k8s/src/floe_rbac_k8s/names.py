"""What Kubernetes accepts as a name, and how the objects of a product are called."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from floe_core.plugins import RBACError

if TYPE_CHECKING:
    from floe_core.plugins import RightsRequest

LABEL_MAX = 63
SUBDOMAIN_MAX = 253
DIGEST = 16
OWN_ANNOTATIONS = "floe.dev/"

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_PRODUCT = re.compile(r"[a-z][a-z0-9-]*")
_KEY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_SHORTENED = re.compile(rf".*-[0-9a-f]{{{DIGEST}}}")


def object_name(prefix: str, product: str) -> str:
    """`<prefix>-<product>` where that is a DNS label, else its beginning and a hash of the whole.

    Two products never share a name: one that itself looks like a shortened name is given a hash too.
    """
    plain = f"{prefix}-{product}"
    if is_label(plain) and not _SHORTENED.fullmatch(plain):
        return plain
    digest = hashlib.sha256(plain.encode()).hexdigest()[:DIGEST]
    return f"{plain[: LABEL_MAX - DIGEST - 1].rstrip('-')}-{digest}"


def is_label(text: str) -> bool:
    """Whether `text` is a DNS label: what a namespace or the value of a label may be."""
    return len(text) <= LABEL_MAX and _LABEL.fullmatch(text) is not None


def is_subdomain(text: str) -> bool:
    """Whether `text` is a DNS subdomain: what a Secret or a ConfigMap may be called."""
    return len(text) <= SUBDOMAIN_MAX and _SUBDOMAIN.fullmatch(text) is not None


def check(request: RightsRequest) -> None:
    """Refuse what the API server would refuse, and what it would take for something else than was meant.

    Raises:
        RBACError: The first name that is none.
    """
    if not (len(request.product) <= LABEL_MAX and _PRODUCT.fullmatch(request.product)):
        raise _refused("product", request.product, "a lower-case letter, then letters, digits and dashes, 63 at most")
    if not is_label(request.namespace):
        raise _refused("namespace", request.namespace, "lower-case letters, digits and inner dashes, 63 at most")
    if request.namespace.startswith("kube-"):
        raise _refused("namespace", request.namespace, "a namespace of the product's: kube- is Kubernetes' own")
    for field in ("secrets", "config_maps", "image_pull_secrets"):
        for name in getattr(request, field):
            if not is_subdomain(name):
                raise _refused(field, name, "the name of one object: DNS labels joined by dots, 253 at most")
    for key, value in request.annotations.items():
        _check_annotation(key, value)


def _check_annotation(key: str, value: str) -> None:
    prefix, slash, name = key.rpartition("/")
    if not (len(name) <= LABEL_MAX and _KEY.fullmatch(name)) or (slash and not is_subdomain(prefix)):
        raise _refused("annotations", key, "an optional DNS name and a slash, then up to 63 letters, digits, . _ -")
    if key.startswith(OWN_ANNOTATIONS):
        raise _refused("annotations", key, f"a key that is not below {OWN_ANNOTATIONS}, which is floe's own")
    if not value.isprintable():
        raise _refused("annotations", key, "given with a value of printable characters")


def _refused(field: str, value: str, rule: str) -> RBACError:
    return RBACError(
        f"{value!a:.80} cannot be used as it is",
        where=f"RightsRequest.{field}",
        why=f"it must be {rule}",
        remedy="correct it where it was written: the product, or the platform's manifest",
    )
