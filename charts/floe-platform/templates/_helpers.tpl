{{/* Names, labels, metadata and image references. */}}

{{/* Stem of every name; 39 characters leave room for the longest suffix and for the hash of a StatefulSet's revision. */}}
{{- define "floe.fullname" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 39 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of a component's resources. Takes (list root component). */}}
{{- define "floe.name" -}}
{{- printf "%s-%s" (include "floe.fullname" (index . 0)) (index . 1) -}}
{{- end -}}

{{/* Labels that never change and that selectors use. Takes (list root component). */}}
{{- define "floe.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: floe-platform
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of a pod: the user's, then the chart's own, which win. None names a version: a new one of the chart would
start every pod anew, PostgreSQL's too. Takes (list root component). */}}
{{- define "floe.podLabels" -}}
{{- $own := include "floe.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/part-of" "floe" -}}
{{- merge $own (index . 0).Values.commonLabels | toYaml -}}
{{- end -}}

{{/* Labels of every resource: those of a pod, and what made it in which version. Takes (list root component). */}}
{{- define "floe.labels" -}}
{{- $root := index . 0 -}}
{{- $own := include "floe.podLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- $_ := set $own "app.kubernetes.io/version" $root.Chart.AppVersion -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_") -}}
{{- toYaml $own -}}
{{- end -}}

{{/* `metadata` of a resource. Takes (list root component name annotations); the annotations given here win. */}}
{{- define "floe.metadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 2 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "floe.labels" (list $root (index . 1)) | nindent 2 }}
{{- with merge (dict) (index . 3) $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* repository:tag[@digest] of one image's values. */}}
{{- define "floe.image" -}}
{{- printf "%s:%s" .repository .tag -}}{{- with .digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* ServiceAccount of the pods that never speak to Kubernetes. */}}
{{- define "floe.serviceAccountName" -}}
{{- include "floe.fullname" . -}}-platform
{{- end -}}

{{/* Where PostgreSQL is, as a map: host, port, secret, and database and user of `polaris` and `dagster`. */}}
{{- define "floe.postgresql" -}}
{{- $values := .Values.postgresql -}}
{{- if $values.enabled -}}
host: {{ include "floe.name" (list . "postgresql") }}
port: 5432
secret: {{ include "floe.postgresql.secretName" . }}
polaris: {database: polaris, user: polaris}
dagster: {database: dagster, user: dagster}
options: ""
{{- else -}}
{{- $external := $values.external -}}
host: {{ $external.host | quote }}
port: {{ $external.port }}
secret: {{ $external.existingSecret | quote }}
polaris: {{ $external.polaris | toJson }}
dagster: {{ $external.dagster | toJson }}
options: {{ printf "sslmode=%s" $external.sslMode | quote }}
{{- end -}}
{{- end -}}

{{/* URL of the object store inside the cluster; empty where AWS's own is meant. */}}
{{- define "floe.objectStore.endpoint" -}}
{{- if eq .Values.objectStore.type "external" -}}
{{- .Values.objectStore.external.endpoint -}}
{{- else -}}
http://{{ include "floe.name" (list . "object-store") }}:9000
{{- end -}}
{{- end -}}

{{/* Whether any component speaks to PostgreSQL; empty means no. */}}
{{- define "floe.needsPostgresql" -}}
{{- if or (eq .Values.polaris.persistence.type "relational-jdbc") .Values.dagster.enabled -}}yes{{- end -}}
{{- end -}}
