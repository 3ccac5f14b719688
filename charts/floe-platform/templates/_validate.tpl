{{/* Combinations of values that cannot work; each says what to change. */}}
{{- define "floe.validate" -}}
{{- $values := .Values -}}
{{- $external := $values.postgresql.external -}}
{{- if and (include "floe.needsPostgresql" .) (not $values.postgresql.enabled) -}}
{{- $who := ternary "polaris.persistence.type is relational-jdbc" "dagster.enabled is true" (eq $values.polaris.persistence.type "relational-jdbc") -}}
{{- if not $external.host -}}
{{- fail (printf "%s, which needs a PostgreSQL, and there is none: set postgresql.enabled to true, or postgresql.external.host to a server of yours" $who) -}}
{{- end -}}
{{- if not $external.existingSecret -}}
{{- fail "postgresql.external.host is set: set postgresql.external.existingSecret to a Secret with the keys polaris-password and dagster-password" -}}
{{- end -}}
{{- end -}}
{{- if and $values.postgresql.enabled $external.host -}}
{{- fail "postgresql.enabled is true and postgresql.external.host is set: choose one" -}}
{{- end -}}
{{- if and (eq $values.objectStore.type "external") (not $values.objectStore.auth.existingSecret) -}}
{{- fail "objectStore.type is external: set objectStore.auth.existingSecret to a Secret with the keys access-key and secret-key" -}}
{{- end -}}
{{- if and (ne $values.objectStore.type "external") $values.objectStore.external.endpoint -}}
{{- fail (printf "objectStore.external.endpoint is set but objectStore.type is %s: set the type to external, or leave the endpoint empty" $values.objectStore.type) -}}
{{- end -}}
{{- if and (eq $values.polaris.persistence.type "in-memory") (gt (int $values.polaris.replicas) 1) -}}
{{- fail "polaris.persistence.type is in-memory, where each pod has catalogs of its own: set polaris.replicas to 1, or the type to relational-jdbc" -}}
{{- end -}}
{{- if and $values.otel.enabled (not $values.jaeger.enabled) (not $values.otel.exporter.endpoint) -}}
{{- fail "otel.enabled is true and its traces have nowhere to go: set jaeger.enabled to true, otel.exporter.endpoint to a collector of yours, or otel.enabled to false" -}}
{{- end -}}
{{- if lt (int $values.bootstrap.activeDeadlineSeconds) (int $values.bootstrap.timeoutSeconds) -}}
{{- fail (printf "bootstrap.activeDeadlineSeconds (%d) ends the Job before one attempt may (bootstrap.timeoutSeconds, %d): make it larger" (int $values.bootstrap.activeDeadlineSeconds) (int $values.bootstrap.timeoutSeconds)) -}}
{{- end -}}
{{- if and $values.cube.enabled (ne $values.fullnameOverride (default "" $values.cube.fullnameOverride)) -}}
{{- fail "fullnameOverride and cube.fullnameOverride differ, and Cube would not be found under the platform's name: give both the same value" -}}
{{- end -}}
{{- if $values.cube.enabled -}}
{{- $pairs := dict
  "commonLabels" (list $values.commonLabels (default dict $values.cube.commonLabels))
  "commonAnnotations" (list $values.commonAnnotations (default dict $values.cube.commonAnnotations))
  "imagePullSecrets" (list $values.imagePullSecrets (default list $values.cube.imagePullSecrets))
  "networkPolicy.enabled" (list $values.networkPolicy.enabled $values.cube.networkPolicy.enabled)
-}}
{{- range $key, $pair := $pairs -}}
{{- if ne (index $pair 0 | toJson) (index $pair 1 | toJson) -}}
{{- fail (printf "%s and cube.%s differ, and what is at the top does not reach Cube: give cube.%s the same" $key $key $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $own := printf "%s-object-store" (include "floe.fullname" .) -}}
{{- if and $values.cube.enabled (eq $values.cube.datasource.type "duckdb") $values.cube.datasource.s3.endpoint -}}
{{- if and (ne (include "floe.objectStore.secretName" .) $own) (eq (tpl $values.cube.datasource.s3.existingSecret .) $own) -}}
{{- fail (printf "objectStore.auth.existingSecret is %s, but cube.datasource.s3.existingSecret still names %s: set it, and cube.datasource.s3.endpoint and useSsl, to the store that Cube should read" (include "floe.objectStore.secretName" .) $own) -}}
{{- end -}}
{{- end -}}
{{- if $values.ingress.enabled -}}
{{- if not (compact (values $values.ingress.hosts)) -}}
{{- fail "ingress.enabled is true but no host is named: set at least one of ingress.hosts" -}}
{{- end -}}
{{- range $service, $needed := dict "dagster" $values.dagster.enabled "jaeger" $values.jaeger.enabled "cube" $values.cube.enabled -}}
{{- if and (get $values.ingress.hosts $service) (not $needed) -}}
{{- fail (printf "ingress.hosts.%s is set but %s.enabled is false" $service $service) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
