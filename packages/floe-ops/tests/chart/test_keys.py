"""Keys and comments of a values file, and its schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from floe_core.errors import WrongStateError
from floe_ops.chart import keys, schema

VALUES = """\
# A heading that documents nothing.

# -- Switches it on,
# really.
enabled: true
# -- The image.
image:
  # -- Which.
  tag: "1"   # beside
  bare: {}
# -- Mapping of amounts.
requests: {cpu: 1}
# -- A list.
list:
  - name: x
"""


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    (tmp_path / "values.yaml").write_text(VALUES)
    return tmp_path


def write(chart: Path, **more: Any) -> None:
    image = {"type": "object", "additionalProperties": False, "properties": {"tag": {"type": "string"}, "bare": {}}}
    whole = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "global": {"type": "object"},
            "enabled": {"type": "boolean"},
            "image": {"$ref": "#/$defs/image"},
            "requests": {"type": "object", "additionalProperties": False, "properties": {"cpu": {}, "memory": {}}},
            "list": {"type": "array"},
        },
        "$defs": {"image": image},
    }
    for path, value in more.items():
        place: Any = whole
        *parts, last = path.split("__")
        for part in parts:
            place = place["$defs" if part == "defs" else part]
        if value is None:
            del place[last]
        else:
            place[last] = value
    (chart / "values.schema.json").write_text(json.dumps(whole))


def test_keys_are_read_with_their_comment_default_and_line(chart: Path) -> None:
    found = {key.path: (key.line, key.default, key.meaning) for key in keys.read(chart / "values.yaml")}
    assert found == {
        "enabled": (5, "true", "Switches it on, really."),
        "image": (7, "", "The image."),
        "image.tag": (9, "'1'", "Which."),
        "image.bare": (10, "{}", ""),
        "requests": (12, "{cpu: 1}", "Mapping of amounts."),
        "list": (14, "[{name: x}]", "A list."),
    }
    assert keys.undocumented(chart / "values.yaml") == ("values.yaml:10 image.bare",)


@pytest.mark.parametrize("text", ["[1]", "a: [", ""])
def test_a_file_that_is_no_mapping_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "values.yaml").write_text(text)
    with pytest.raises(WrongStateError, match="a values file"):
        keys.read(tmp_path / "values.yaml")


def test_values_and_schema_that_know_the_same_keys_pass(chart: Path) -> None:
    write(chart)
    assert schema.check(chart) == 6


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"properties__enabled": None}, "enabled is in values.yaml only"),
        ({"additionalProperties": True}, "the whole takes unknown keys"),
        ({"properties__more": {"type": "string"}}, "more is in the schema only"),
        ({"defs__image__properties__more": {}}, "image.more is in the schema only"),
        ({"defs__image__additionalProperties": None}, "image takes unknown keys"),
        ({"properties__enabled": {"type": "string"}}, "values.yaml: enabled: True is not of type 'string'"),
    ],
)
def test_every_difference_is_told(chart: Path, change: dict[str, Any], told: str) -> None:
    write(chart, **change)
    with pytest.raises(WrongStateError) as caught:
        schema.check(chart)
    assert told in caught.value.why


def test_the_other_values_files_are_held_against_it_too(chart: Path) -> None:
    write(chart)
    (chart / "values-test.yaml").write_text("image: {tag: 1}\n")
    with pytest.raises(WrongStateError) as caught:
        schema.check(chart)
    assert "values-test.yaml: image.tag: 1 is not of type 'string'" in caught.value.why
