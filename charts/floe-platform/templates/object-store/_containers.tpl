{{/* What differs between the object stores; both listen on 9000 and keep their data below /data. */}}

{{- define "floe.objectStore.minio" -}}
{{- $secret := include "floe.objectStore.secretName" . -}}
command: [minio]
args: [server, /data, --address, ":9000", --quiet]
env:
  - name: HOME
    value: /tmp
  - name: MINIO_BROWSER
    value: "off"
  - name: MINIO_UPDATE
    value: "off"
  - name: MINIO_CALLHOME_ENABLE
    value: "off"
  - name: MINIO_SITE_REGION
    value: {{ .Values.objectStore.region | quote }}
  {{- include "floe.env.secret" (list "MINIO_ROOT_USER" $secret "access-key") | nindent 2 }}
  {{- include "floe.env.secret" (list "MINIO_ROOT_PASSWORD" $secret "secret-key") | nindent 2 }}
  {{- with .Values.objectStore.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{ include "floe.httpProbes" (dict "port" 9000 "startup" "/minio/health/cluster" "readiness" "/minio/health/ready" "liveness" "/minio/health/live") }}
{{- end -}}

{{/* One identity, the Secret's, may do everything, and who signs otherwise is refused. The master, the volume server and
the filer ask nobody for a password, so they listen on loopback only. */}}
{{- define "floe.objectStore.seaweedfs" -}}
{{- $secret := include "floe.objectStore.secretName" . -}}
command: [weed]
args:
  - -logtostderr=true
  - server
  - -dir=/data
  - -ip=127.0.0.1
  - -ip.bind=127.0.0.1
  - -master.telemetry=false
  - -master.volumeSizeLimitMB={{ .Values.objectStore.seaweedfs.volumeSizeLimitMB }}
  - -volume.max=0
  - -volume.preStopSeconds=0
  - -filer
  - -filer.localSocket=/tmp/filer.sock
  - -s3
  - -s3.ip.bind=0.0.0.0
  - -s3.port=9000
  - -s3.localSocket=/tmp/s3.sock
  - -s3.iam=false
  - -s3.port.iceberg=0
  {{- with .Values.objectStore.seaweedfs.extraArgs }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
workingDir: /tmp
env:
  - name: HOME
    value: /tmp
  {{- include "floe.env.secret" (list "AWS_ACCESS_KEY_ID" $secret "access-key") | nindent 2 }}
  {{- include "floe.env.secret" (list "AWS_SECRET_ACCESS_KEY" $secret "secret-key") | nindent 2 }}
  {{- with .Values.objectStore.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{ include "floe.httpProbes" (dict "port" 9000 "startup" "/healthz" "readiness" "/healthz" "liveness" "/healthz") }}
{{- end -}}
