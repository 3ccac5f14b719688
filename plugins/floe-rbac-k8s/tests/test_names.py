"""Names of objects: DNS labels, one for each product and never one for two."""

from __future__ import annotations

import re

import pytest
from floe_rbac_k8s.names import LABEL_MAX, is_label, is_subdomain, object_name
from hypothesis import given
from hypothesis import strategies as st

PRODUCTS = st.from_regex(r"[a-z][a-z0-9-]{0,62}", fullmatch=True)


def test_a_short_name_is_told_as_it_is() -> None:
    assert object_name("floe", "customer-360") == "floe-customer-360"
    assert object_name("floe", "a" * 58) == "floe-" + "a" * 58


def test_a_long_name_keeps_its_beginning() -> None:
    made = object_name("floe", "customer-" + "a" * 54)
    assert len(made) == LABEL_MAX
    assert re.fullmatch(r"floe-customer-a{32}-[0-9a-f]{16}", made)


def test_a_product_named_like_a_shortened_one_does_not_take_its_objects() -> None:
    long = object_name("floe", "b" * 63)
    impostor = long.removeprefix("floe-")
    assert object_name("floe", impostor) != long


def test_a_name_that_ends_in_a_dash_is_made_one_that_does_not() -> None:
    assert re.fullmatch(r"floe-a-[0-9a-f]{16}", object_name("floe", "a-"))


@given(st.sets(PRODUCTS, min_size=2, max_size=20))
def test_every_product_has_a_label_of_its_own(products: set[str]) -> None:
    made = {object_name("floe", product) for product in products}
    assert len(made) == len(products)
    assert all(is_label(name) for name in made)


@pytest.mark.parametrize("text", ["a", "0", "a-b", "a" * 63])
def test_labels(text: str) -> None:
    assert is_label(text)
    assert is_subdomain(f"{text}.{text}")


@pytest.mark.parametrize("text", ["", "-", "a.", ".a", "a..b", "a-.b", "A", "a\n", "é", "a" * 254, "a/b"])
def test_what_is_no_name(text: str) -> None:
    assert not is_label(text)
    assert not is_subdomain(text)
