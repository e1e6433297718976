{{/* How things are called. */}}

{{- define "chartgate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Room is left for what comes behind it: -chartmuseum is 12 letters, and a Service's name has 63. */}}
{{- define "chartgate.fullname" -}}
{{- $name := include "chartgate.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What a selector may have: it never changes. Takes a list of the root and the component. */}}
{{- define "chartgate.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "chartgate.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "chartgate.labels" -}}
{{- $root := index . 0 -}}
{{ include "chartgate.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Of an image with repository, tag and digest. */}}
{{- define "chartgate.image" -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository .tag -}}
{{- end -}}
{{- end -}}

{{- define "chartgate.gatewayImage" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- include "chartgate.image" (dict "repository" .Values.image.repository "tag" $tag "digest" .Values.image.digest) -}}
{{- end -}}

{{/* The Secret with keys, for a release that has its keys in one. */}}
{{- define "chartgate.keysSecret" -}}
{{- default (printf "%s-keys" (include "chartgate.fullname" .)) .Values.keys.existingSecret -}}
{{- end -}}

{{- define "chartgate.claim" -}}
{{- default (include "chartgate.fullname" .) .Values.persistence.existingClaim -}}
{{- end -}}

{{/* What every pod of the level "restricted" says. */}}
{{- define "chartgate.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
# Only while the folder is not the group's yet: later it would open private keys to the group.
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "chartgate.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
