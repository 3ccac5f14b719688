from __future__ import annotations

import ast

from floe_ops.audits.dagster_api.scopes import Scope, Scopes, stored_names


def test_within_a_scope_the_latest_binding_above_counts_and_outside_the_last() -> None:
    scope = Scope()
    scope.bind("x", 3, "dagster.a")
    scope.bind("x", 7, None)
    assert scope.symbol("x", 5) == "dagster.a"
    assert scope.symbol("x", 7) is None
    assert scope.symbol("x", None) is None
    assert scope.symbol("x", 1) == "dagster.a"  # used above its only binding: a loop, or a mistake of the author


def test_a_class_body_is_not_seen_from_its_methods() -> None:
    tree = ast.parse("class C:\n    from dagster import asset\n    def f(self):\n        return asset\n")
    scopes = Scopes()
    scopes.enter(tree.body)
    klass = tree.body[0]
    assert isinstance(klass, ast.ClassDef)
    scopes.enter(klass.body, is_class=True)
    name = ast.parse("asset", mode="eval").body
    name.lineno = 4
    assert scopes.resolve(name) == "dagster.asset"
    method = klass.body[1]
    assert isinstance(method, ast.FunctionDef)
    scopes.enter_function(method)
    assert scopes.resolve(name) is None
    scopes.leave()
    assert scopes.resolve(name) == "dagster.asset"


def test_only_dagster_and_its_libraries_are_dagster() -> None:
    scopes = Scopes(frozenset({"dagster_mine"}))
    assert [
        scopes.is_dagster(name) for name in ("dagster", "dagster.x", "dagster_dbt", "dagsterx", "dagster_mine")
    ] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_every_name_of_a_target_is_stored() -> None:
    target = ast.parse("a, (b, *c) = 1").body[0]
    assert isinstance(target, ast.Assign)
    assert stored_names(target.targets[0]) == ["a", "b", "c"]
