{{/* What the API and the worker may reach: names, Cube Store, the platform's object store, and what the user adds. */}}
{{- define "cube.egress" -}}
- to:
    - namespaceSelector: {}
    # A cache on the node itself.
    - ipBlock:
        cidr: 169.254.0.0/16
  ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- if .Values.cubeStore.enabled }}
- to:
    - podSelector:
        matchLabels:
          {{- include "cube.selectorLabels" (list . "cube-store") | nindent 10 }}
  ports:
    - port: 3030
      protocol: TCP
{{- end }}
{{- if and (eq .Values.datasource.type "duckdb") .Values.datasource.s3.endpoint }}
- to:
    - podSelector:
        matchLabels:
          app.kubernetes.io/instance: {{ .Release.Name | quote }}
          app.kubernetes.io/component: object-store
  ports:
    - port: 9000
      protocol: TCP
{{- end }}
{{- with .Values.networkPolicy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end -}}
