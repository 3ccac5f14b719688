from __future__ import annotations

from pathlib import Path

import pytest
from floe_core.compilation import compile_product
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


def test_every_stage_is_a_span_below_the_pipeline(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    compile_product(example / "orders")
    spans = exporter.get_finished_spans()
    (pipeline,) = [one for one in spans if one.name == "compile.pipeline"]
    stages = [
        one.name.removeprefix("compile.")
        for one in spans
        if one.parent and one.parent.span_id == pipeline.context.span_id
    ]
    assert stages == ["load", "validate", "resolve", "enforce", "compile", "generate"]
    assert pipeline.attributes is not None
    assert (pipeline.attributes["compile.product_name"], pipeline.attributes["compile.model_count"]) == ("orders", 3)
