{{/* The collector's configuration: OTLP in, batches out by OTLP gRPC to this release's Jaeger or to the user's collector.
`otel.extraConfig` is merged over it. */}}
{{- define "floe.otel.config" -}}
{{- $config := include "floe.otel.defaultConfig" . | fromYaml -}}
{{- mergeOverwrite $config (deepCopy .Values.otel.extraConfig) | toYaml -}}
{{- end -}}

{{- define "floe.otel.defaultConfig" -}}
{{- $values := .Values.otel -}}
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 0.0.0.0:4317
      http:
        endpoint: 0.0.0.0:4318
processors:
  memory_limiter:
    check_interval: 1s
    limit_percentage: {{ $values.memoryLimiter.limitPercentage }}
    spike_limit_percentage: {{ $values.memoryLimiter.spikeLimitPercentage }}
  batch:
    timeout: {{ $values.batchTimeout }}
exporters:
  otlp/jaeger:
    endpoint: {{ $values.exporter.endpoint | default (printf "%s:4317" (include "floe.name" (list . "jaeger"))) | quote }}
    tls:
      insecure: {{ $values.exporter.insecure }}
    # Held back, not lost, while the receiver restarts.
    retry_on_failure:
      enabled: true
      initial_interval: 100ms
      max_interval: 2s
      max_elapsed_time: 120s
extensions:
  health_check:
    endpoint: 0.0.0.0:13133
service:
  extensions: [health_check]
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlp/jaeger]
  telemetry:
    metrics:
      level: none
    logs:
      level: {{ $values.logLevel }}
{{- end -}}
