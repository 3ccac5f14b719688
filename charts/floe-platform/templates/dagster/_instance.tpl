{{/* Dagster's instance: what every one of its processes reads from DAGSTER_HOME. */}}

{{- define "floe.dagster.config" -}}
{{- $values := .Values.dagster -}}
storage:
  postgres:
    postgres_db:
      # SQLAlchemy 2.1 takes another driver for `postgresql` than dagster-postgres brings.
      scheme: postgresql+psycopg2
      hostname: {env: DAGSTER_PG_HOST}
      port: {env: DAGSTER_PG_PORT}
      db_name: {env: DAGSTER_PG_DB}
      username: {env: DAGSTER_PG_USER}
      password: {env: DAGSTER_PG_PASSWORD}
      {{- if not .Values.postgresql.enabled }}
      params:
        sslmode: {{ .Values.postgresql.external.sslMode }}
      {{- end }}
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
concurrency:
  runs:
    max_concurrent_runs: {{ $values.runLauncher.maxConcurrentRuns }}
run_launcher:
  module: dagster_k8s.launcher
  class: K8sRunLauncher
  config:
    {{- include "floe.dagster.launcher" . | nindent 4 }}
run_monitoring:
  enabled: true
  start_timeout_seconds: {{ $values.runLauncher.startTimeoutSeconds }}
  poll_interval_seconds: 15
# A run's output is its pod's log: pods share no folder.
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
local_artifact_storage:
  module: dagster.core.storage.root
  class: LocalArtifactStorage
  config:
    base_dir: /tmp/dagster
telemetry:
  enabled: false
{{- end -}}

{{/* How a run becomes a Job; its pod passes `restricted` and has no token. */}}
{{- define "floe.dagster.launcher" -}}
{{- $values := .Values.dagster.runLauncher -}}
job_namespace: {{ .Release.Namespace }}
job_image: {{ include "floe.image" .Values.floe.image | quote }}
image_pull_policy: {{ .Values.floe.image.pullPolicy }}
{{- with .Values.imagePullSecrets }}
image_pull_secrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
service_account_name: {{ include "floe.serviceAccountName" . }}
instance_config_map: {{ include "floe.name" (list . "dagster") }}
dagster_home: /opt/dagster/home
fail_pod_on_run_failure: true
labels:
  {{- include "floe.podLabels" (list . "dagster-run") | nindent 2 }}
resources:
  {{- toYaml $values.resources | nindent 2 }}
security_context:
  {{- include "floe.containerSecurityContext" . | nindent 2 }}
volumes:
  - name: dagster-home
    configMap:
      name: {{ include "floe.name" (list . "dagster") }}
  {{- include "floe.scratch" (list "tmp" $values.scratchSize) | nindent 2 }}
volume_mounts:
  - name: dagster-home
    mountPath: /opt/dagster/home
    readOnly: true
  - name: tmp
    mountPath: /tmp
run_k8s_config:
  container_config:
    env:
      {{- include "floe.dagster.env.code" (list . "floe-run") | nindent 6 }}
      {{- with $values.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
  pod_spec_config:
    automount_service_account_token: false
    enable_service_links: false
    security_context:
      {{- include "floe.podSecurityContext" "1000" | nindent 6 }}
    {{- with $values.nodeSelector }}
    node_selector:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.tolerations }}
    tolerations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.affinity }}
    affinity:
      {{- toYaml . | nindent 6 }}
    {{- end }}
  pod_template_spec_metadata:
    labels:
      {{- include "floe.podLabels" (list . "dagster-run") | nindent 6 }}
    {{- with merge (dict) $values.podAnnotations .Values.commonAnnotations }}
    annotations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
  job_spec_config:
    ttl_seconds_after_finished: {{ $values.ttlSecondsAfterFinished }}
{{- end -}}

{{/* Environment of a process that runs the products' code. Takes (list root service). */}}
{{- define "floe.dagster.env.code" -}}
{{- $root := index . 0 -}}
{{ include "floe.env.python" $root }}
{{ include "floe.env.dagster" $root }}
{{ include "floe.env.catalog" $root }}
{{ include "floe.env.telemetry" . }}
{{- end -}}

{{- define "floe.dagster.workspace" -}}
load_from:
  - grpc_server:
      host: {{ include "floe.name" (list . "dagster-user-code") }}
      port: 3030
      location_name: {{ .Values.dagster.userCode.locationName }}
{{- end -}}

{{/* Where the instance is; the launcher gives it to runs by itself. */}}
{{- define "floe.dagster.env.home" -}}
- name: DAGSTER_HOME
  value: /opt/dagster/home
{{- end -}}

{{/* Everything but the containers of one of Dagster's pods. Takes (dict root component values [serviceAccount]). */}}
{{- define "floe.dagster.podTemplate" -}}
{{- $root := .root -}}
{{- $checksums := dict "instance" (include "floe.dagster.config" $root) "workspace" (include "floe.dagster.workspace" $root) -}}
metadata:
  {{- include "floe.podMetadata" (merge (dict "checksums" $checksums) .) | nindent 2 }}
spec:
  {{- include "floe.podSpec" . | nindent 2 }}
  initContainers:
    {{- include "floe.waitForPostgresql" $root | nindent 4 }}
  volumes:
    - name: dagster-home
      configMap:
        name: {{ include "floe.name" (list $root "dagster") }}
    {{- include "floe.scratch" (list "tmp" "1Gi") | nindent 4 }}
    {{- include "floe.waitForPostgresql.volume" $root | nindent 4 }}
{{- end -}}

{{- define "floe.dagster.mounts" -}}
volumeMounts:
  - name: dagster-home
    mountPath: /opt/dagster/home
    readOnly: true
  - name: tmp
    mountPath: /tmp
{{- end -}}

{{- define "floe.dagster.serviceAccountName" -}}
{{- include "floe.name" (list . "dagster") -}}
{{- end -}}
