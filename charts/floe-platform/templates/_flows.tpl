{{/* Who speaks to whom. The NetworkPolicies of both ends are made from this one table. */}}
{{- define "floe.flows" -}}
{{- $dagster := .Values.dagster.enabled -}}
{{- $code := ternary (list "dagster-user-code" "dagster-run") list $dagster -}}
{{- $programs := concat (list "polaris-bootstrap" "test") $code -}}
{{- $cube := ternary (list "cube-api" "cube-refresh-worker") list .Values.cube.enabled -}}
{{- if .Values.postgresql.enabled }}
- to: postgresql
  ports: [5432]
  from: {{ concat (ternary (list "polaris") list (eq .Values.polaris.persistence.type "relational-jdbc")) (ternary (list "dagster-webserver" "dagster-daemon") list $dagster) $code | toJson }}
{{- end }}
{{- if ne .Values.objectStore.type "external" }}
- to: object-store
  ports: [9000]
  from: {{ concat (list "polaris") $programs $cube | toJson }}
{{- end }}
- to: polaris
  ports: [8181, 8182]
  from: {{ $programs | toJson }}
{{- if .Values.otel.enabled }}
- to: otel
  ports: [4317, 4318]
  from: {{ concat $programs (ternary (list "dagster-webserver" "dagster-daemon") list $dagster) | toJson }}
{{- end }}
{{- if .Values.jaeger.enabled }}
- to: jaeger
  ports: [4317, 4318]
  from: {{ ternary (list "otel") list .Values.otel.enabled | toJson }}
- to: jaeger
  ports: [16686]
  from: [test]
{{- end }}
{{- if $dagster }}
- to: dagster-webserver
  ports: [3000]
  from: [test]
- to: dagster-user-code
  ports: [3030]
  from: [dagster-webserver, dagster-daemon]
{{- end }}
{{- end -}}

{{/* Ports that a user's programs, an ingress controller and the like may reach (`networkPolicy.clients`), by component. */}}
{{- define "floe.publicPorts" -}}
object-store: [9000]
polaris: [8181]
otel: [4317, 4318]
jaeger: [16686]
dagster-webserver: [3000]
{{- end -}}

{{/* Ports outside this release that a component needs: `kubernetes`, `object-store` or `postgresql`. */}}
{{- define "floe.outsideFlows" -}}
{{- $dagster := .Values.dagster.enabled -}}
{{- $store := ternary (list "object-store") list (eq .Values.objectStore.type "external") -}}
{{- $database := ternary list (list "postgresql") .Values.postgresql.enabled -}}
polaris: {{ concat $store (ternary $database list (eq .Values.polaris.persistence.type "relational-jdbc")) | toJson }}
polaris-bootstrap: {{ $store | toJson }}
test: {{ $store | toJson }}
{{- if $dagster }}
dagster-webserver: {{ concat (list "kubernetes") $database | toJson }}
dagster-daemon: {{ concat (list "kubernetes") $database | toJson }}
dagster-user-code: {{ concat $store $database | toJson }}
dagster-run: {{ concat $store $database | toJson }}
{{- end }}
{{- end -}}

{{/* Peers and ports by the name of an outside flow. Takes (list root name). */}}
{{- define "floe.outsideRule" -}}
{{- $root := index . 0 -}}
{{- $policy := $root.Values.networkPolicy -}}
{{- $ports := list -}}
{{- $cidr := $policy.externalCidr -}}
{{- if eq (index . 1) "kubernetes" -}}
{{- $ports = $policy.kubernetesApi.ports -}}
{{- $cidr = $policy.kubernetesApi.cidr -}}
{{- else if eq (index . 1) "postgresql" -}}
{{- $ports = list $root.Values.postgresql.external.port -}}
{{- else -}}
{{- $url := urlParse (default "https://s3" $root.Values.objectStore.external.endpoint) -}}
{{- $ports = list (regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (ternary "443" "80" (eq $url.scheme "https"))) -}}
{{- end -}}
- to:
    - ipBlock:
        cidr: {{ $cidr }}
  ports:
    {{- range $ports }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- end -}}

{{/* A peer of this release. Takes (list root component); Cube's pods bear another name, so none is asked for. */}}
{{- define "floe.peer" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/instance: {{ (index . 0).Release.Name | quote }}
      app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "floe.policyPorts" -}}
ports:
  {{- range . }}
  - port: {{ . }}
    protocol: TCP
  {{- end }}
{{- end -}}

{{/* Who may reach a component. Takes (list root component flows). */}}
{{- define "floe.ingressRules" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- range index . 2 }}
{{- if and (eq .to $component) .from }}
- from:
    {{- range .from }}
    {{- include "floe.peer" (list $root .) | nindent 4 }}
    {{- end }}
  {{- include "floe.policyPorts" .ports | nindent 2 }}
{{- end }}
{{- end }}
{{- with and (get (include "floe.publicPorts" $root | fromYaml) $component) $root.Values.networkPolicy.clients }}
- from:
    {{- toYaml . | nindent 4 }}
  {{- include "floe.policyPorts" (get (include "floe.publicPorts" $root | fromYaml) $component) | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What a component may reach. Takes (list root component flows). */}}
{{- define "floe.egressRules" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- range index . 2 }}
{{- if has $component .from }}
- to:
    {{- include "floe.peer" (list $root .to) | nindent 4 }}
  {{- include "floe.policyPorts" .ports | nindent 2 }}
{{- end }}
{{- end }}
{{- range get (include "floe.outsideFlows" $root | fromYaml) $component | default list }}
{{ include "floe.outsideRule" (list $root .) }}
{{- end }}
{{- if or (eq $component "otel") (hasPrefix "dagster-" $component) }}
{{- with $root.Values.networkPolicy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end -}}
