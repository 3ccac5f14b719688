{{/* Environment that several components share. */}}

{{/* One variable from a Secret. Takes (list name secret key). */}}
{{- define "floe.env.secret" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 | quote }}
      key: {{ index . 2 }}
{{- end -}}

{{/* The object store, as the AWS SDKs read it. */}}
{{- define "floe.env.objectStore" -}}
{{- $secret := include "floe.objectStore.secretName" . -}}
{{- with include "floe.objectStore.endpoint" . }}
- name: AWS_ENDPOINT_URL_S3
  value: {{ . | quote }}
{{- end }}
- name: AWS_REGION
  value: {{ .Values.objectStore.region | quote }}
- name: AWS_EC2_METADATA_DISABLED
  value: "true"
{{ include "floe.env.secret" (list "AWS_ACCESS_KEY_ID" $secret "access-key") }}
{{ include "floe.env.secret" (list "AWS_SECRET_ACCESS_KEY" $secret "secret-key") }}
{{- end -}}

{{/* The catalog and its object store, for floe's own programs. */}}
{{- define "floe.env.catalog" -}}
{{- $polaris := include "floe.name" (list . "polaris") -}}
{{- $secret := include "floe.polaris.secretName" . -}}
- name: FLOE_POLARIS_URL
  value: http://{{ $polaris }}:8181
- name: FLOE_POLARIS_MANAGEMENT_URL
  value: http://{{ $polaris }}:8182
- name: FLOE_CATALOG
  value: {{ .Values.bootstrap.catalog | quote }}
- name: FLOE_BUCKET
  value: {{ .Values.objectStore.bucket | quote }}
{{- if ne .Values.polaris.realm "POLARIS" }}
- name: POLARIS_REALM
  value: {{ .Values.polaris.realm | quote }}
{{- end }}
{{ include "floe.env.secret" (list "POLARIS_CLIENT_ID" $secret "client-id") }}
{{ include "floe.env.secret" (list "POLARIS_CLIENT_SECRET" $secret "client-secret") }}
{{- if not (include "floe.objectStore.endpoint" .) }}
# floe's own programs want every address by name, AWS's too; Polaris finds that one by its region.
- name: AWS_ENDPOINT_URL_S3
  value: {{ printf "https://s3.%s.amazonaws.com" .Values.objectStore.region | quote }}
{{- end }}
{{ include "floe.env.objectStore" . | trim }}
{{- end -}}

{{/* Where traces go. Takes (list root service); renders nothing without a collector. */}}
{{- define "floe.env.telemetry" -}}
{{- $root := index . 0 -}}
{{- if $root.Values.otel.enabled -}}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: http://{{ include "floe.name" (list $root "otel") }}:4318
- name: OTEL_EXPORTER_OTLP_PROTOCOL
  value: http/protobuf
- name: OTEL_SERVICE_NAME
  value: {{ index . 1 }}
{{- else -}}
- name: OTEL_SDK_DISABLED
  value: "true"
{{- end -}}
{{- end -}}

{{/* Dagster's database. */}}
{{- define "floe.env.dagster" -}}
{{- $postgresql := include "floe.postgresql" . | fromYaml -}}
- name: DAGSTER_DISABLE_TELEMETRY
  value: "yes"
- name: DAGSTER_PG_HOST
  value: {{ $postgresql.host | quote }}
- name: DAGSTER_PG_PORT
  value: {{ $postgresql.port | quote }}
- name: DAGSTER_PG_DB
  value: {{ $postgresql.dagster.database | quote }}
- name: DAGSTER_PG_USER
  value: {{ $postgresql.dagster.user | quote }}
{{ include "floe.env.secret" (list "DAGSTER_PG_PASSWORD" $postgresql.secret "dagster-password") }}
{{- end -}}

{{/* What a Python program of the floe image needs where nothing but /tmp can be written. */}}
{{- define "floe.env.python" -}}
- name: HOME
  value: /tmp
- name: PYTHONUNBUFFERED
  value: "1"
- name: PYTHONDONTWRITEBYTECODE
  value: "1"
- name: DO_NOT_TRACK
  value: "1"
{{- end -}}
