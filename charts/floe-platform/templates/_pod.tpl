{{/* What every pod of this chart has in common. */}}

{{/* Uid by component. */}}
{{- define "floe.uid" -}}
{{- get (dict "postgresql" 70 "polaris" 10000 "otel" 10001 "jaeger" 10001) . | default 1000 -}}
{{- end -}}

{{/* `metadata` of a pod template. Takes (dict root component values checksums); checksums by name. */}}
{{- define "floe.podMetadata" -}}
{{- $annotations := dict -}}
{{- range $name, $content := .checksums | default dict -}}
{{- $_ := set $annotations (printf "checksum/%s" $name) (sha256sum $content) -}}
{{- end -}}
labels:
  {{- include "floe.podLabels" (list .root .component) | nindent 2 }}
{{- with merge $annotations .values.podAnnotations .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Identity, security and placement of a pod: passes `restricted`, and has no token unless `serviceAccount` is given.
Takes (dict root component values [serviceAccount]). */}}
{{- define "floe.podSpec" -}}
serviceAccountName: {{ .serviceAccount | default (include "floe.serviceAccountName" .root) }}
automountServiceAccountToken: {{ hasKey . "serviceAccount" }}
enableServiceLinks: false
securityContext:
  {{- include "floe.podSecurityContext" (include "floe.uid" .component) | nindent 2 }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Takes the uid. */}}
{{- define "floe.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "floe.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Image, security and resources of a container. Takes (dict image resources). */}}
{{- define "floe.container" -}}
image: {{ include "floe.image" .image | quote }}
imagePullPolicy: {{ .image.pullPolicy }}
securityContext:
  {{- include "floe.containerSecurityContext" . | nindent 2 }}
resources:
  {{- toYaml .resources | nindent 2 }}
{{- end -}}

{{/* Startup, readiness and liveness by HTTP. Takes (dict port startup readiness liveness [seconds]): paths, and how long a
start may take. */}}
{{- define "floe.httpProbes" -}}
startupProbe:
  httpGet:
    path: {{ .startup }}
    port: {{ .port }}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: {{ div (.seconds | default 180) 2 }}
readinessProbe:
  httpGet:
    path: {{ .readiness }}
    port: {{ .port }}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
livenessProbe:
  httpGet:
    path: {{ .liveness }}
    port: {{ .port }}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 6
{{- end -}}

{{/* An emptyDir volume for scratch files. Takes (list name size). */}}
{{- define "floe.scratch" -}}
- name: {{ index . 0 }}
  emptyDir:
    sizeLimit: {{ index . 1 }}
{{- end -}}

{{/* Init container that waits until PostgreSQL takes connections; its script is in the volume `postgresql-wait`. */}}
{{- define "floe.waitForPostgresql" -}}
{{- $postgresql := include "floe.postgresql" . | fromYaml -}}
- name: wait-for-postgresql
  {{- include "floe.container" (dict "image" .Values.postgresql.image "resources" .Values.postgresql.waitResources) | nindent 2 }}
  command: [sh, /etc/floe/wait/wait.sh]
  workingDir: /
  env:
    - name: PGHOST
      value: {{ $postgresql.host | quote }}
    - name: PGPORT
      value: {{ $postgresql.port | quote }}
    - name: WAIT_SECONDS
      value: "120"
  volumeMounts:
    - name: postgresql-wait
      mountPath: /etc/floe/wait
      readOnly: true
{{- end -}}

{{- define "floe.waitForPostgresql.volume" -}}
- name: postgresql-wait
  configMap:
    name: {{ include "floe.name" (list . "postgresql-wait") }}
{{- end -}}

{{/* The claim of a StatefulSet, which nothing may change later: no label that names a version. Takes (list root component
persistence). */}}
{{- define "floe.claimTemplate" -}}
{{- $persistence := index . 2 -}}
- apiVersion: v1
  kind: PersistentVolumeClaim
  metadata:
    name: data
    labels:
      {{- include "floe.selectorLabels" . | nindent 6 }}
  spec:
    {{- include "floe.claimSpec" $persistence | nindent 4 }}
{{- end -}}

{{/* Takes the persistence. */}}
{{- define "floe.claimSpec" -}}
accessModes: [ReadWriteOnce]
{{- with .storageClass }}
storageClassName: {{ . | quote }}
{{- end }}
resources:
  requests:
    storage: {{ .size }}
{{- end -}}
