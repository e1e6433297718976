{{/* Parts of the gateway's pod. */}}

{{/* Secrets below /run/chartgate: a list of name and secret. */}}
{{- define "chartgate.secretVolumes" -}}
{{- $all := list -}}
{{- if include "chartgate.hasKeysSecret" . -}}
{{- $all = append $all (dict "name" "keys" "secret" (include "chartgate.keysSecret" .)) -}}
{{- end -}}
{{- range $name, $secret := dict
  "accounts" .Values.accounts.existingSecret
  "admin-token" .Values.adminToken.existingSecret
  "master-key" .Values.masterKey.existingSecret
  "redis" .Values.redis.existingSecret
  "tls" .Values.tls.existingSecret
  "upstream" .Values.upstream.existingSecret -}}
{{- if $secret -}}
{{- $all = append $all (dict "name" $name "secret" $secret) -}}
{{- end -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}

{{/* Where its pods may run. */}}
{{- define "chartgate.placement" -}}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- if .Values.topologySpreadConstraints }}
topologySpreadConstraints: {{- toYaml .Values.topologySpreadConstraints | nindent 2 }}
{{- else if include "chartgate.several" . }}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "chartgate.selector" (list $ "gateway") | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}
