{{/* What the values may not say together, each a sentence with what to do; all at once. */}}
{{- define "chartgate.refuse" -}}
{{- $wrong := list -}}
{{- $upstream := include "chartgate.upstream" . -}}
{{- $own := dig "upstream" "url" "" .Values.config -}}
{{- $urls := dig "upstream" "urls" list .Values.config -}}
{{- $auth := dig "upstream" "auth" "bearer" .Values.config -}}
{{- $several := include "chartgate.several" . -}}
{{- if and .Values.chartmuseum.enabled (or .Values.upstream.url $own $urls) -}}
{{- $wrong = append $wrong "chartmuseum.enabled makes a ChartMuseum, and upstream.url names another one: choose one of them" -}}
{{- end -}}
{{- if and .Values.upstream.url $urls -}}
{{- $wrong = append $wrong "config.upstream.urls names the chart repository at all its addresses: leave upstream.url out" -}}
{{- end -}}
{{- if and .Values.upstream.url $own (ne .Values.upstream.url $own) -}}
{{- $wrong = append $wrong "upstream.url and config.upstream.url differ: leave the second one out" -}}
{{- end -}}
{{- if and .Values.chartmuseum.enabled (ne $auth "bearer") -}}
{{- $wrong = append $wrong (printf "chartmuseum.enabled makes a ChartMuseum that takes only the gateway's tokens, and config.upstream.auth is %s: leave it out" $auth) -}}
{{- end -}}
{{- if and $several (not $upstream) -}}
{{- $wrong = append $wrong "the embedded repository belongs to one gateway: replicaCount: 1 and no autoscaling, or upstream.url or chartmuseum.enabled" -}}
{{- end -}}
{{- $redis := dig "redis" "url" "" .Values.config -}}
{{- if and $several (not $redis) (ne (dig "charts" "index" "maxAge" "0s" .Values.config) "0s") -}}
{{- $wrong = append $wrong "several gateways do not tell each other of a push, so each would answer an old index for config.charts.index.maxAge: 0s, or config.redis.url, or replicaCount: 1 and no autoscaling" -}}
{{- end -}}
{{- if and $several (not $redis) (gt (len $urls) 1) -}}
{{- $wrong = append $wrong "several gateways do not tell each other of a push, so each could read an old index at the second of config.upstream.urls: one address, or config.redis.url, or replicaCount: 1 and no autoscaling" -}}
{{- end -}}
{{- if and .Values.redis.existingSecret (not $redis) -}}
{{- $wrong = append $wrong "redis.existingSecret is for the Redis of config.redis.url, which is not set" -}}
{{- end -}}
{{- if contains "@" $redis -}}
{{- $wrong = append $wrong "config.redis.url has a password in it, and a ConfigMap is no place for one: put it into a Secret, and name that in redis.existingSecret" -}}
{{- end -}}
{{- if and $redis (gt (int (include "chartgate.seconds" (dig "charts" "index" "maxAge" "0s" .Values.config))) 10) -}}
{{- $wrong = append $wrong "config.charts.index.maxAge is more than 10s: with config.redis.url a push waits for so long while Redis is away" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- $wrong = append $wrong "autoscaling.minReplicas is above autoscaling.maxReplicas" -}}
{{- end -}}
{{- if and .Values.chartmuseum.enabled (dig "upstream" "key" "file" "" .Values.config) -}}
{{- $wrong = append $wrong "chartmuseum.enabled takes the public key of the Secret with keys, and config.upstream.key.file is another one: leave that out" -}}
{{- end -}}
{{- if and (eq $auth "basic") $upstream (not .Values.upstream.existingSecret) -}}
{{- $wrong = append $wrong "config.upstream.auth: basic needs a password: upstream.existingSecret, a Secret with the key password" -}}
{{- end -}}
{{- range list
  (list "masterKey" .Values.config.masterKey "masterKey.existingSecret")
  (list "upstream.password" (dig "upstream" "password" "" .Values.config) "upstream.existingSecret")
  (list "redis.password" (dig "redis" "password" "" .Values.config) "redis.existingSecret")
  (list "admin.token" (dig "admin" "token" "" .Values.config) "adminToken.existingSecret") -}}
{{- if index . 1 -}}
{{- $wrong = append $wrong (printf "config.%s is a secret, and a ConfigMap is no place for one: put it into a Secret, and name that in %s" (first .) (last .)) -}}
{{- end -}}
{{- end -}}
{{- if not (hasPrefix "/" (default "/" .Values.config.stateDir)) -}}
{{- $wrong = append $wrong "config.stateDir has to be absolute: what is mounted there is" -}}
{{- end -}}
{{- if and (or .Values.httpRoute.enabled .Values.ingress.enabled) (not .Values.config.publicUrl) -}}
{{- $wrong = append $wrong "httpRoute and ingress have the host and the path of config.publicUrl: set it to the URL that clients use" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (eq .Values.service.sessionAffinity "ClientIP") (has .Values.ingress.controller (list "contour" "traefik")) -}}
{{- $wrong = append $wrong (printf "ingress.controller: %s knows no annotation that lets the requests of one address come to one gateway: service.sessionAffinity: None, and pushes to oci:// with one gateway" .Values.ingress.controller) -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- $wrong = append $wrong "httpRoute.enabled needs httpRoute.parentRefs: the Gateway that it belongs to, such as [{name: web}]" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled .Values.networkPolicy.enabled (not .Values.networkPolicy.adminFrom) -}}
{{- $wrong = append $wrong "serviceMonitor.enabled needs networkPolicy.adminFrom, or nobody reaches the admin port: such as [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]" -}}
{{- end -}}
{{- if include "chartgate.authzPort" . -}}
{{- $authz := .Values.config.authz -}}
{{- if not $upstream -}}
{{- $wrong = append $wrong "config.authz is for a proxy that leads to a ChartMuseum, and nobody but the gateway reaches the embedded repository: upstream.url or chartmuseum.enabled" -}}
{{- end -}}
{{- if or (not $authz.trustedProxies) (eq (default "none" $authz.dialect) "none") -}}
{{- $wrong = append $wrong "config.authz.listen.port needs config.authz.trustedProxies, the addresses or CIDRs of the proxy's pods, and config.authz.dialect" -}}
{{- end -}}
{{- if ne (include "chartgate.publicPath" . | trimSuffix "/") (dig "charts" "contextPath" "" .Values.config) -}}
{{- $wrong = append $wrong "with config.authz ChartMuseum gets the path that the client has sent: config.charts.contextPath has to be the path of config.publicUrl" -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.authzFrom) -}}
{{- $wrong = append $wrong "config.authz.listen.port needs networkPolicy.authzFrom, or no proxy reaches it: such as [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: gateways}}}]" -}}
{{- end -}}
{{- else if .Values.networkPolicy.authzFrom -}}
{{- $wrong = append $wrong "networkPolicy.authzFrom is for config.authz, whose listen.port is not set" -}}
{{- end -}}
{{- if and .Values.networkPolicy.chartmuseumSelector (not .Values.upstream.url) -}}
{{- $wrong = append $wrong "networkPolicy.chartmuseumSelector is for the ChartMuseum of upstream.url, which is not set" -}}
{{- end -}}
{{- if $wrong -}}
{{- fail (printf "\n%s" (join "\n" $wrong)) -}}
{{- end -}}
{{- end -}}
