{{/* Stem of every name. 39 characters leave room for the longest suffix and for the hash of a StatefulSet's revision. */}}
{{- define "cube.fullname" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 39 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels that never change and that selectors use. Takes (list root component). */}}
{{- define "cube.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: cube
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of a pod: the user's, then the chart's own, which win. None names a version: a new one of the chart would
start every pod anew. Takes (list root component). */}}
{{- define "cube.podLabels" -}}
{{- $own := include "cube.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/part-of" "floe" -}}
{{- merge $own (index . 0).Values.commonLabels | toYaml -}}
{{- end -}}

{{/* Labels of every resource: those of a pod, and what made it in which version. Takes (list root component). */}}
{{- define "cube.labels" -}}
{{- $root := index . 0 -}}
{{- $own := include "cube.podLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- $_ := set $own "app.kubernetes.io/version" $root.Chart.AppVersion -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_") -}}
{{- toYaml $own -}}
{{- end -}}

{{/* `metadata` without the namespace's name being left to chance. Takes (list root component name annotations). */}}
{{- define "cube.metadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 2 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "cube.labels" (list $root (index . 1)) | nindent 2 }}
{{- with merge (dict) (index . 3) $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* repository:tag[@digest] of one image's values. */}}
{{- define "cube.image" -}}
{{- printf "%s:%s" .repository .tag -}}{{- with .digest }}@{{ . }}{{ end -}}
{{- end -}}

{{- define "cube.secretName" -}}
{{- default (printf "%s-cube" (include "cube.fullname" .)) .Values.auth.existingSecret -}}
{{- end -}}

{{- define "cube.modelsConfigMap" -}}
{{- default (printf "%s-cube-models" (include "cube.fullname" .)) .Values.existingModelsConfigMap -}}
{{- end -}}

{{/* Key of a model file in the ConfigMap, where no key may hold a slash. */}}
{{- define "cube.modelKey" -}}
{{- . | replace "/" "__" -}}
{{- end -}}

{{/* Names of the model files, as a JSON list in a stable order. */}}
{{- define "cube.modelFiles" -}}
{{- if .Values.existingModelsConfigMap -}}
{{- if .Values.models -}}
{{- fail "cube: give models or existingModelsConfigMap, not both" -}}
{{- end -}}
{{- if not .Values.existingModelsFiles -}}
{{- fail "cube: existingModelsConfigMap wants existingModelsFiles, the keys to mount" -}}
{{- end -}}
{{- .Values.existingModelsFiles | toJson -}}
{{- else -}}
{{- keys .Values.models | sortAlpha | toJson -}}
{{- end -}}
{{- end -}}
