{{/* One `helm test` pod. Takes (dict root name args env); its log stays until the next test. */}}
{{- define "floe.testPod" -}}
{{- $root := .root -}}
{{- $values := $root.Values.helmTest -}}
{{- $hook := dict "helm.sh/hook" "test" "helm.sh/hook-weight" .weight "helm.sh/hook-delete-policy" "before-hook-creation" -}}
apiVersion: v1
kind: Pod
metadata:
  {{- include "floe.metadata" (list $root "test" (printf "%s-test-%s" (include "floe.fullname" $root) .name) (merge $hook $values.podAnnotations)) | nindent 2 }}
spec:
  {{- include "floe.podSpec" (dict "root" $root "component" "test" "values" $values) | nindent 2 }}
  restartPolicy: Never
  activeDeadlineSeconds: {{ add $values.timeoutSeconds 60 }}
  containers:
    - name: test
      {{- include "floe.container" (dict "image" $root.Values.floe.image "resources" $values.resources) | nindent 6 }}
      command: [python, -m, floe_ops.job]
      args:
        {{- toYaml .args | nindent 8 }}
      env:
        {{- include "floe.env.python" $root | nindent 8 }}
        {{- .env | nindent 8 }}
        {{- with $values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
  volumes:
    {{- include "floe.scratch" (list "tmp" "64Mi") | nindent 4 }}
{{- end -}}
