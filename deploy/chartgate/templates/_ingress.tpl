{{/* What a controller has to be told: bodies a little larger than config.charts.maxUploadSize, so that
     chartgate refuses in words that clients read; no upload kept on the proxy's disk first; the 300
     seconds that chartgate gives one request; and, with service.sessionAffinity, that the requests of
     one address go to one gateway: most controllers send to pods, past the Service. */}}
{{- define "chartgate.ingressAnnotations" -}}
{{- $bytes := include "chartgate.bytes" (dig "charts" "maxUploadSize" "20MiB" .Values.config) | int64 -}}
{{- $MiB := add 1 (div (add $bytes 1048575) 1048576) -}}
{{- $tls := eq (include "chartgate.tls" .) "true" -}}
{{- $byAddress := eq .Values.service.sessionAffinity "ClientIP" -}}
{{- if eq .Values.ingress.controller "nginx" }}
nginx.org/client-max-body-size: {{ printf "%dm" $MiB | quote }}
nginx.org/proxy-read-timeout: "300s"
nginx.org/proxy-send-timeout: "300s"
nginx.org/location-snippets: "proxy_request_buffering off;"
{{- if $byAddress }}
nginx.org/lb-method: ip_hash
{{- end }}
{{- if $tls }}
nginx.org/ssl-services: {{ include "chartgate.fullname" . | quote }}
{{- end }}
{{- else if eq .Values.ingress.controller "ingress-nginx" }}
nginx.ingress.kubernetes.io/proxy-body-size: {{ printf "%dm" $MiB | quote }}
nginx.ingress.kubernetes.io/proxy-request-buffering: "off"
nginx.ingress.kubernetes.io/proxy-read-timeout: "300"
nginx.ingress.kubernetes.io/proxy-send-timeout: "300"
{{- if $byAddress }}
nginx.ingress.kubernetes.io/upstream-hash-by: "$binary_remote_addr"
{{- end }}
{{- if $tls }}
nginx.ingress.kubernetes.io/backend-protocol: HTTPS
{{- end }}
{{- else if eq .Values.ingress.controller "haproxy" }}
haproxy.org/timeout-server: 300s
haproxy.org/forwarded-for: "true"
{{- if $byAddress }}
haproxy.org/load-balance: source
{{- end }}
{{- if $tls }}
haproxy.org/server-ssl: "true"
{{- end }}
{{- else if eq .Values.ingress.controller "haproxy-ingress" }}
haproxy-ingress.github.io/timeout-server: 300s
haproxy-ingress.github.io/proxy-body-size: {{ printf "%dm" $MiB | quote }}
{{- if $byAddress }}
haproxy-ingress.github.io/balance-algorithm: source
{{- end }}
{{- if $tls }}
haproxy-ingress.github.io/backend-protocol: h1-ssl
{{- end }}
{{- else if eq .Values.ingress.controller "contour" }}
projectcontour.io/response-timeout: 300s
{{- end }}
{{- end -}}
