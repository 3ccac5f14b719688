{{/* Secrets: their names, and values that are made once and then kept. */}}

{{- define "floe.postgresql.secretName" -}}
{{- default (include "floe.name" (list . "postgresql")) .Values.postgresql.auth.existingSecret -}}
{{- end -}}

{{- define "floe.objectStore.secretName" -}}
{{- default (include "floe.name" (list . "object-store")) .Values.objectStore.auth.existingSecret -}}
{{- end -}}

{{- define "floe.polaris.secretName" -}}
{{- default (include "floe.name" (list . "polaris")) .Values.polaris.auth.existingSecret -}}
{{- end -}}

{{- define "floe.polaris.tokenSecretName" -}}
{{- default (include "floe.name" (list . "polaris-token")) .Values.polaris.tokenBroker.existingSecret -}}
{{- end -}}

{{/* Data of the Secret that is in the cluster, as YAML; empty before the first install and without a cluster.
Takes (list root name). */}}
{{- define "floe.secretData" -}}
{{- $root := index . 0 -}}
{{- $found := lookup "v1" "Secret" $root.Release.Namespace (index . 1) | default dict -}}
{{- dig "data" dict $found | toYaml -}}
{{- end -}}

{{/* One value in base64: what is there, else 32 new random characters. Takes (list data key). */}}
{{- define "floe.secretValue" -}}
{{- get (index . 0) (index . 1) | default (randAlphaNum 32 | b64enc) -}}
{{- end -}}

{{/* A Secret belongs to the data it opens: where that is on a claim, which Helm leaves, the Secret stays as well.
Takes the component's persistence. */}}
{{- define "floe.secretAnnotations" -}}
{{- if .enabled -}}
helm.sh/resource-policy: keep
{{- end -}}
{{- end -}}
