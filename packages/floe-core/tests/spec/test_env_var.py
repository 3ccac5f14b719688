"""References as variables of a dbt profile: each gets one, and it leads back to the reference."""

from __future__ import annotations

import re

import pytest
from floe_core.enforcement.literals import is_env_var
from floe_core.running.surroundings import variables
from floe_core.spec import env_var
from floe_core.spec.secrets import SecretRef, SecretUnavailableError
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)


@given(TEXT)
def test_a_file_has_a_variable_that_leads_back_to_it(path: str) -> None:
    reference = SecretRef(file=path)
    name = env_var.variable(reference)
    assert re.fullmatch(r"FLOE_FILE_[A-Za-z0-9_]+", name)
    assert env_var.reference(name) == reference


def test_a_secret_of_the_store_has_one_and_a_variable_is_itself() -> None:
    assert env_var.written(SecretRef(secret="polaris/client-secret")) == (  # noqa: S106 - a name
        "{{ env_var('FLOE_SECRET_polaris_2Fclient_2Dsecret') }}"
    )
    assert env_var.written(SecretRef(env="TOKEN")) == "{{ env_var('TOKEN') }}"
    assert is_env_var(env_var.written(SecretRef(file="/run/a key")))
    assert env_var.written("http://127.0.0.1:8181") == "http://127.0.0.1:8181"


@pytest.mark.parametrize(
    "name", ["TOKEN", "FLOE_FILE_", "FLOE_FILE_a_", "FLOE_FILE__F", "FLOE_FILE__FF", "FLOE_SECRET_a_20b"]
)
def test_other_variables_stand_for_themselves(name: str) -> None:
    assert env_var.reference(name) is None


class Store:
    def get(self, name: str) -> SecretStr:
        return SecretStr({"polaris/key": "from the store", "PLAIN": "looked up by its name"}[name])


def test_every_kind_of_reference_is_resolved_for_dbt_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("run") / "key"
    file.write_text("from the file\n", encoding="utf-8")
    kinds = (SecretRef(file=str(file)), SecretRef(secret="polaris/key"), SecretRef(env="PLAIN"))  # noqa: S106 - a name
    profile = {"catalog": {str(number): env_var.written(one) for number, one in enumerate(kinds)}}
    found = variables(profile, Store())  # type: ignore[arg-type] # all that is used of a secrets plugin
    assert [found[env_var.variable(one)] for one in kinds] == [
        "from the file",
        "from the store",
        "looked up by its name",
    ]


def test_a_file_needs_no_secrets_plugin_and_a_secret_does(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("run") / "key"
    file.write_text("from the file", encoding="utf-8")
    assert list(variables({"a": env_var.written(SecretRef(file=str(file)))}, None).values()) == ["from the file"]
    with pytest.raises(SecretUnavailableError, match="is not available"):
        variables({"a": env_var.written(SecretRef(secret="key"))}, None)  # noqa: S106 - a name
