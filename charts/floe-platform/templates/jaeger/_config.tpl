{{/* Jaeger's configuration: it receives OTLP on every address, since other pods send it. `jaeger.extraConfig` is merged
over it. */}}
{{- define "floe.jaeger.config" -}}
{{- $config := include "floe.jaeger.defaultConfig" . | fromYaml -}}
{{- mergeOverwrite $config (deepCopy .Values.jaeger.extraConfig) | toYaml -}}
{{- end -}}

{{- define "floe.jaeger.defaultConfig" -}}
{{- $storage := .Values.jaeger.storage -}}
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 0.0.0.0:4317
      http:
        endpoint: 0.0.0.0:4318
exporters:
  jaeger_storage_exporter:
    trace_storage: main
extensions:
  jaeger_storage:
    backends:
      main:
        {{- if eq $storage.type "badger" }}
        badger:
          ephemeral: false
          directories:
            keys: /data/keys
            values: /data/values
          ttl:
            spans: {{ $storage.badger.ttl }}
        {{- else }}
        memory:
          max_traces: {{ $storage.memory.maxTraces }}
        {{- end }}
  jaeger_query:
    enable_tracing: false
    storage:
      traces: main
    http:
      endpoint: 0.0.0.0:16686
    grpc:
      endpoint: 127.0.0.1:16685
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces:
      receivers: [otlp]
      processors: []
      exporters: [jaeger_storage_exporter]
  telemetry:
    metrics:
      level: none
    logs:
      level: {{ .Values.jaeger.logLevel }}
{{- end -}}
