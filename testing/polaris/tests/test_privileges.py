from __future__ import annotations

from polaris_standin.privileges import GRANTABLE, OPERATIONS, conferred


def test_a_privilege_confers_itself_and_what_follows_from_it() -> None:
    assert conferred("TABLE_LIST") == {"TABLE_LIST"}
    assert {"TABLE_READ_DATA", "TABLE_READ_PROPERTIES", "TABLE_LIST"} <= conferred("TABLE_WRITE_DATA")
    assert "TABLE_WRITE_DATA" not in conferred("TABLE_READ_DATA")


def test_only_content_and_the_data_privileges_reach_data() -> None:
    everything = set().union(*GRANTABLE.values())
    writers = {privilege for privilege in everything if "TABLE_WRITE_DATA" in conferred(privilege)}
    assert writers == {"TABLE_WRITE_DATA", "CATALOG_MANAGE_CONTENT"}


def test_a_service_administrator_has_no_content() -> None:
    held = conferred("SERVICE_MANAGE_ACCESS")
    assert {"CATALOG_CREATE", "PRINCIPAL_DROP", "PRINCIPAL_ROLE_MANAGE_GRANTS_ON_SECURABLE"} <= held
    assert not {name for name in held if name.startswith(("TABLE_", "NAMESPACE_"))}
    assert "PRINCIPAL_ROTATE_CREDENTIALS" not in held


def test_every_operation_can_be_allowed_by_something_grantable_or_administrative() -> None:
    held = set().union(*(conferred(p) for group in GRANTABLE.values() for p in group))
    held |= conferred("SERVICE_MANAGE_ACCESS")
    needed = {privilege for targets in OPERATIONS.values() for group in targets for privilege in group}
    # Only the principal itself may rotate, and that is no privilege.
    assert needed - held == {"PRINCIPAL_ROTATE_CREDENTIALS"}
