{{/* What every pod of this chart says of its identity: uid 1000, no token, Pod Security `restricted`. */}}
{{- define "cube.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "cube.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* Where a pod may land. Takes the component's values. */}}
{{- define "cube.placement" -}}
{{- with .nodeSelector -}}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
Startup, readiness and liveness. Cube says by HTTP whether a query goes through; Cube Store opens its port once its
metastore is loaded. Takes a map of the probe's kind, for readiness (`ready`) and for life (`live`).
*/}}
{{- define "cube.probes" -}}
startupProbe:
  {{- toYaml .live | nindent 2 }}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 90
readinessProbe:
  {{- toYaml .ready | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
livenessProbe:
  {{- toYaml .live | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}

{{/* Template of a pod that runs Cube: the API or the refresh worker. Takes (dict root component values worker). */}}
{{- define "cube.pod" -}}
{{- $root := .root -}}
{{- $fullname := include "cube.fullname" $root -}}
{{- $files := include "cube.modelFiles" $root | fromJsonArray -}}
{{- $sql := and $root.Values.api.sql.enabled (not .worker) -}}
{{- $annotations := dict -}}
{{- if $root.Values.models -}}
{{- $_ := set $annotations "checksum/models" ($root.Values.models | toJson | sha256sum) -}}
{{- end -}}
metadata:
  labels:
    {{- include "cube.podLabels" (list $root .component) | nindent 4 }}
  {{- with merge $annotations .values.podAnnotations $root.Values.commonAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ $fullname }}-{{ .component }}
  {{- include "cube.podSecurity" $root | nindent 2 }}
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "cube.placement" .values }}
  {{- . | trim | nindent 2 }}
  {{- end }}
  containers:
    - name: cube
      image: {{ include "cube.image" $root.Values.image | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      ports:
        - name: http
          containerPort: 4000
        {{- if $sql }}
        - name: sql
          containerPort: 15432
        {{- end }}
      env:
        {{- include "cube.environment" . | nindent 8 }}
      {{- $ready := dict "httpGet" (dict "path" "/readyz" "port" "http") }}
      {{- $live := dict "httpGet" (dict "path" "/livez" "port" "http") }}
      {{- include "cube.probes" (dict "ready" $ready "live" $live) | nindent 6 }}
      resources:
        {{- toYaml .values.resources | nindent 8 }}
      {{- include "cube.containerSecurity" $root | nindent 6 }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        # DuckDB in memory spills into .tmp of the working directory.
        - name: spill
          mountPath: /cube/conf/.tmp
        {{- range $files }}
        - name: models
          mountPath: /cube/conf/model/{{ . }}
          subPath: {{ include "cube.modelKey" . }}
          readOnly: true
        {{- end }}
  volumes:
    - name: tmp
      emptyDir:
        sizeLimit: 1Gi
    - name: spill
      emptyDir:
        sizeLimit: 2Gi
    {{- if $files }}
    - name: models
      configMap:
        name: {{ include "cube.modelsConfigMap" $root }}
    {{- end }}
{{- end -}}

{{/* Environment of the API and the worker. Takes what `cube.pod` takes. */}}
{{- define "cube.environment" -}}
{{- $root := .root -}}
- name: NODE_ENV
  value: production
- name: HOME
  value: /tmp
- name: CUBEJS_TELEMETRY
  value: "false"
- name: CUBEJS_DEV_MODE
  value: "false"
- name: CUBEJS_LOG_LEVEL
  value: {{ .values.logLevel }}
- name: CUBEJS_SCHEMA_PATH
  value: model
- name: CUBEJS_REFRESH_WORKER
  value: {{ .worker | quote }}
- name: CUBEJS_API_SECRET
  valueFrom:
    secretKeyRef:
      name: {{ include "cube.secretName" $root }}
      key: api-secret
{{- if and $root.Values.api.sql.enabled (not .worker) }}
- name: CUBEJS_PG_SQL_PORT
  value: "15432"
- name: CUBEJS_SQL_USER
  value: {{ $root.Values.api.sql.user | quote }}
- name: CUBEJS_SQL_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "cube.secretName" $root }}
      key: sql-password
{{- end }}
{{- if $root.Values.cubeStore.enabled }}
- name: CUBEJS_CACHE_AND_QUEUE_DRIVER
  value: cubestore
- name: CUBEJS_CUBESTORE_HOST
  value: {{ include "cube.fullname" $root }}-cube-store
- name: CUBEJS_CUBESTORE_PORT
  value: "3030"
{{- else }}
- name: CUBEJS_CACHE_AND_QUEUE_DRIVER
  value: memory
{{- end }}
{{ include "cube.datasource" $root }}
{{- with $root.Values.datasource.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- with .values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Environment of the data source. */}}
{{- define "cube.datasource" -}}
{{- $source := .Values.datasource -}}
- name: CUBEJS_DB_TYPE
  value: {{ $source.type | quote }}
{{- if eq $source.type "duckdb" }}
{{- range $name, $value := dict "DATABASE_PATH" $source.duckdb.databasePath "MEMORY_LIMIT" $source.duckdb.memoryLimit "SCHEMA" $source.duckdb.schema }}
{{- if $value }}
- name: CUBEJS_DB_DUCKDB_{{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- with $source.s3 }}
{{- if .endpoint }}
- name: CUBEJS_DB_DUCKDB_S3_ENDPOINT
  value: {{ tpl .endpoint $ | quote }}
- name: CUBEJS_DB_DUCKDB_S3_REGION
  value: {{ .region | quote }}
- name: CUBEJS_DB_DUCKDB_S3_USE_SSL
  value: {{ .useSsl | quote }}
- name: CUBEJS_DB_DUCKDB_S3_URL_STYLE
  value: {{ .urlStyle }}
{{- if .existingSecret }}
- name: CUBEJS_DB_DUCKDB_S3_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef:
      name: {{ tpl .existingSecret $ }}
      key: {{ .accessKeyIdKey }}
- name: CUBEJS_DB_DUCKDB_S3_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef:
      name: {{ tpl .existingSecret $ }}
      key: {{ .secretAccessKeyKey }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
