{{/* What is configured: the values as chartgate's own YAML, and what follows from them. */}}

{{/* Seconds of a duration such as 10s, 5m or 0s. */}}
{{- define "chartgate.seconds" -}}
{{- $count := regexFind "^[0-9]+" . | int -}}
{{- if hasSuffix "h" . }}{{ mul $count 3600 }}{{ else if hasSuffix "m" . }}{{ mul $count 60 }}{{ else }}{{ $count }}{{ end -}}
{{- end -}}

{{/* Bytes of a size such as 20MiB. */}}
{{- define "chartgate.bytes" -}}
{{- $count := regexFind "^[0-9]+" . | int64 -}}
{{- $unit := regexFind "[A-Za-z]+$" . -}}
{{- mul $count (index (dict "B" 1 "KiB" 1024 "MiB" 1048576 "GiB" 1073741824) $unit | int64) -}}
{{- end -}}

{{/* The URL of the chart repository, of several the first; nothing: the embedded one. */}}
{{- define "chartgate.upstream" -}}
{{- if .Values.chartmuseum.enabled -}}
{{- printf "http://%s-chartmuseum:8080" (include "chartgate.fullname" .) -}}
{{- else -}}
{{- $urls := dig "upstream" "urls" list .Values.config -}}
{{- coalesce .Values.upstream.url (dig "upstream" "url" "" .Values.config) (first $urls) | default "" -}}
{{- end -}}
{{- end -}}

{{- define "chartgate.several" -}}
{{- if or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1) }}true{{ end -}}
{{- end -}}

{{/* Whether tokens are signed with keys of the Secret, and whether the upstream is asked with one. */}}
{{- define "chartgate.tokenKeys" -}}
{{- if and (not (dig "tokens" "keys" nil .Values.config)) (or .Values.keys.existingSecret (include "chartgate.upstream" .)) }}true{{ end -}}
{{- end -}}
{{- define "chartgate.upstreamKey" -}}
{{- $own := dig "upstream" "key" "file" "" .Values.config -}}
{{- $auth := dig "upstream" "auth" "bearer" .Values.config -}}
{{- if and (include "chartgate.upstream" .) (eq $auth "bearer") (not $own) }}true{{ end -}}
{{- end -}}
{{- define "chartgate.hasKeysSecret" -}}
{{- if or (include "chartgate.tokenKeys" .) (include "chartgate.upstreamKey" .) }}true{{ end -}}
{{- end -}}
{{- define "chartgate.makesKeys" -}}
{{- if and (include "chartgate.hasKeysSecret" .) (not .Values.keys.existingSecret) }}true{{ end -}}
{{- end -}}

{{/* The whole configuration: what the chart knows, and over it what the values say. */}}
{{- define "chartgate.config" -}}
{{- $upstream := include "chartgate.upstream" . -}}
{{- $own := deepCopy .Values.config -}}
{{- $urls := dig "upstream" "urls" list $own -}}
{{- $config := dict
  "listen" (dict "host" "0.0.0.0" "port" 5001)
  "admin" (dict "host" "0.0.0.0" "port" 5002)
  "stateDir" "/var/lib/chartgate" -}}
{{- if include "chartgate.authzPort" . -}}
{{- $_ := set $config "authz" (dict "listen" (dict "host" "0.0.0.0")) -}}
{{- end -}}
{{- if $upstream -}}
{{- $_ := set $config "upstream" (dict) -}}
{{- $_ := set $config "drain" (dict "delay" "10s") -}}
{{- end -}}
{{- if include "chartgate.upstreamKey" . -}}
{{- $_ := set $config.upstream "key" (dict "file" "/run/chartgate/keys/upstream.pem") -}}
{{- end -}}
{{- if include "chartgate.tokenKeys" . -}}
{{- $keys := list -}}
{{- range .Values.keys.tokens -}}
{{- $keys = append $keys (dict "file" (printf "/run/chartgate/keys/%s" .key) "alg" .alg "state" .state) -}}
{{- end -}}
{{- $_ := set $config "tokens" (dict "keys" $keys) -}}
{{- end -}}
{{- if .Values.tls.existingSecret -}}
{{- $_ := set $config.listen "tls" (dict "cert" "/run/chartgate/tls/tls.crt" "key" "/run/chartgate/tls/tls.key") -}}
{{- end -}}
{{- $config = mergeOverwrite $config $own -}}
{{- $files := dig "accounts" "files" list $own | default list -}}
{{- if .Values.accounts.existingSecret -}}
{{- range .Values.accounts.files -}}
{{- $files = append $files (printf "/run/chartgate/accounts/%s" .) -}}
{{- end -}}
{{- else if not $upstream -}}
{{- $files = append $files (printf "%s/accounts.yaml" $config.stateDir) -}}
{{- end -}}
{{- $_ := set $config "accounts" (dict "files" $files) -}}
{{- if and $upstream (not $urls) -}}
{{- $_ := set $config.upstream "url" $upstream -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* Where proxies ask whether a request may pass; nothing: nowhere. */}}
{{- define "chartgate.authzPort" -}}
{{- with dig "authz" "listen" "port" 0 .Values.config }}{{ int . }}{{ end -}}
{{- end -}}

{{/* What a running gateway does not follow by itself, by key: a change of it is another pod. */}}
{{- define "chartgate.unfollowed" -}}
{{- $config := include "chartgate.config" . | fromYaml -}}
{{- $unfollowed := dict -}}
{{- range $key := .Files.Get "files/unfollowed.yaml" | fromYamlArray -}}
{{- $path := splitList "." $key -}}
{{- $place := $config -}}
{{- range initial $path }}{{ $place = default dict (get $place .) }}{{ end -}}
{{- if hasKey $place (last $path) }}{{ $_ := set $unfollowed $key (get $place (last $path)) }}{{ end -}}
{{- end -}}
{{- toYaml $unfollowed -}}
{{- end -}}

{{/* Host and path of the URL that clients use, and the port that they never see. */}}
{{- define "chartgate.publicUrl" -}}
{{- $port := dig "listen" "port" 5001 .Values.config | int -}}
{{- $scheme := ternary "https" "http" (eq (include "chartgate.tls" .) "true") -}}
{{- default (printf "%s://localhost:%d" $scheme $port) .Values.config.publicUrl | trimSuffix "/" -}}
{{- end -}}
{{- define "chartgate.publicHost" -}}
{{- (include "chartgate.publicUrl" . | urlParse).hostname -}}
{{- end -}}
{{- define "chartgate.publicPath" -}}
{{- default "/" (include "chartgate.publicUrl" . | urlParse).path -}}
{{- end -}}

{{/* Speaks the gateway TLS itself? */}}
{{- define "chartgate.tls" -}}
{{- if or .Values.tls.existingSecret (dig "listen" "tls" "cert" "" .Values.config) }}true{{ end -}}
{{- end -}}
{{- define "chartgate.adminTls" -}}
{{- if dig "admin" "tls" "cert" "" .Values.config }}true{{ end -}}
{{- end -}}

{{/* Seconds before SIGTERM in which others learn that this pod goes: only where nothing else does that. */}}
{{- define "chartgate.preStop" -}}
{{- $config := include "chartgate.config" . | fromYaml -}}
{{- if and (include "chartgate.upstream" .) (eq (dig "drain" "delay" "0s" $config) "0s") }}10{{ else }}0{{ end -}}
{{- end -}}

{{/* The tenant that helm test asks for, as deep as tenants are. */}}
{{- define "chartgate.testTenant" -}}
{{- $depth := dig "charts" "depth" 2 .Values.config | toString -}}
{{- if .Values.test.tenant -}}
{{- .Values.test.tenant -}}
{{- else if eq $depth "dynamic" -}}
helm/test
{{- else if ne $depth "0" -}}
{{- $parts := list -}}
{{- range until (int $depth) }}{{ $parts = append $parts (ternary "helm" "test" (eq . 0)) }}{{ end -}}
{{- join "/" $parts -}}
{{- end -}}
{{- end -}}
