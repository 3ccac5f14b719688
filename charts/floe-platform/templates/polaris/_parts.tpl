{{/* Whether the realm is bootstrapped by the admin tool: a server on PostgreSQL does not do that itself. */}}
{{- define "floe.polaris.bootstraps" -}}
{{- if and .Values.polaris.adminTool.enabled (eq .Values.polaris.persistence.type "relational-jdbc") -}}yes{{- end -}}
{{- end -}}

{{/* The metastore, for the server and for the admin tool. */}}
{{- define "floe.polaris.env.persistence" -}}
- name: POLARIS_PERSISTENCE_TYPE
  value: {{ .Values.polaris.persistence.type }}
{{- if eq .Values.polaris.persistence.type "relational-jdbc" }}
{{- $postgresql := include "floe.postgresql" . | fromYaml }}
- name: QUARKUS_DATASOURCE_JDBC_URL
  value: {{ printf "jdbc:postgresql://%s:%v/%s" $postgresql.host $postgresql.port $postgresql.polaris.database }}{{ with $postgresql.options }}?{{ . }}{{ end }}
- name: QUARKUS_DATASOURCE_USERNAME
  value: {{ $postgresql.polaris.user | quote }}
{{ include "floe.env.secret" (list "QUARKUS_DATASOURCE_PASSWORD" $postgresql.secret "polaris-password") }}
{{- end }}
{{- end -}}

{{/* Environment of the server. */}}
{{- define "floe.polaris.env" -}}
{{ include "floe.polaris.env.persistence" . }}
{{ include "floe.env.secret" (list "POLARIS_BOOTSTRAP_CREDENTIALS" (include "floe.polaris.secretName" .) "bootstrap-credentials") }}
{{- if ne .Values.polaris.realm "POLARIS" }}
- name: POLARIS_REALM_CONTEXT_REALMS
  value: {{ .Values.polaris.realm | quote }}
{{- end }}
- name: QUARKUS_HTTP_PORT
  value: "8181"
- name: QUARKUS_MANAGEMENT_PORT
  value: "8182"
- name: QUARKUS_LOG_FILE_ENABLED
  value: "false"
- name: QUARKUS_OTEL_SDK_DISABLED
  value: "true"
{{- if gt (int .Values.polaris.replicas) 1 }}
# Each pod would sign tokens with a key of its own, and its neighbours would refuse them.
- name: POLARIS_AUTHENTICATION_TOKEN_BROKER_TYPE
  value: symmetric-key
{{ include "floe.env.secret" (list "POLARIS_AUTHENTICATION_TOKEN_BROKER_SYMMETRIC_KEY_SECRET" (include "floe.polaris.tokenSecretName" .) "symmetric-key") }}
{{- end }}
{{- with .Values.polaris.javaOptions }}
- name: JAVA_OPTS_APPEND
  value: {{ . | quote }}
{{- end }}
{{ include "floe.env.objectStore" . | trim }}
{{- with .Values.polaris.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Init containers that bootstrap the realm where PostgreSQL does not hold it yet. */}}
{{- define "floe.polaris.bootstrapContainers" -}}
{{- $postgresql := include "floe.postgresql" . | fromYaml -}}
{{- $secret := include "floe.polaris.secretName" . -}}
- name: look-for-realm
  {{- include "floe.container" (dict "image" .Values.postgresql.image "resources" .Values.postgresql.waitResources) | nindent 2 }}
  command: [sh, /etc/floe/polaris/look.sh]
  workingDir: /
  env:
    - name: WORK
      value: /work
    - name: REALM
      value: {{ .Values.polaris.realm | quote }}
    - name: PGHOST
      value: {{ $postgresql.host | quote }}
    - name: PGPORT
      value: {{ $postgresql.port | quote }}
    - name: PGDATABASE
      value: {{ $postgresql.polaris.database | quote }}
    - name: PGUSER
      value: {{ $postgresql.polaris.user | quote }}
    {{- if not .Values.postgresql.enabled }}
    - name: PGSSLMODE
      value: {{ .Values.postgresql.external.sslMode }}
    {{- end }}
    {{- include "floe.env.secret" (list "PGPASSWORD" $postgresql.secret "polaris-password") | nindent 4 }}
    {{- include "floe.env.secret" (list "CLIENT_ID" $secret "client-id") | nindent 4 }}
    {{- include "floe.env.secret" (list "CLIENT_SECRET" $secret "client-secret") | nindent 4 }}
  volumeMounts:
    - name: work
      mountPath: /work
    - name: bootstrap-realm
      mountPath: /etc/floe/polaris
      readOnly: true
- name: bootstrap-realm
  {{- include "floe.container" .Values.polaris.adminTool | nindent 2 }}
  command: [sh, /etc/floe/polaris/bootstrap.sh]
  env:
    - name: WORK
      value: /work
    {{- include "floe.polaris.env.persistence" . | nindent 4 }}
    {{- with .Values.polaris.javaOptions }}
    - name: JAVA_OPTS_APPEND
      value: {{ . | quote }}
    {{- end }}
  volumeMounts:
    - name: work
      mountPath: /work
    - name: bootstrap-realm
      mountPath: /etc/floe/polaris
      readOnly: true
    - name: tmp
      mountPath: /tmp
{{- end -}}
