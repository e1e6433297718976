{{/* What a controller has to be told: bodies a little larger than config.charts.maxUploadSize, so that
     chartgate refuses in words that clients read; no upload kept on the proxy's disk first; and the 300
     seconds that chartgate gives one request. */}}
{{- define "chartgate.ingressAnnotations" -}}
{{- $bytes := include "chartgate.bytes" (dig "charts" "maxUploadSize" "20MiB" .Values.config) | int64 -}}
{{- $MiB := add 1 (div (add $bytes 1048575) 1048576) -}}
{{- $tls := eq (include "chartgate.tls" .) "true" -}}
{{- if eq .Values.ingress.controller "nginx" }}
nginx.org/client-max-body-size: {{ printf "%dm" $MiB | quote }}
nginx.org/proxy-read-timeout: "300s"
nginx.org/proxy-send-timeout: "300s"
nginx.org/location-snippets: "proxy_request_buffering off;"
{{- if $tls }}
nginx.org/ssl-services: {{ include "chartgate.fullname" . | quote }}
{{- end }}
{{- else if eq .Values.ingress.controller "ingress-nginx" }}
nginx.ingress.kubernetes.io/proxy-body-size: {{ printf "%dm" $MiB | quote }}
nginx.ingress.kubernetes.io/proxy-request-buffering: "off"
nginx.ingress.kubernetes.io/proxy-read-timeout: "300"
nginx.ingress.kubernetes.io/proxy-send-timeout: "300"
{{- if $tls }}
nginx.ingress.kubernetes.io/backend-protocol: HTTPS
{{- end }}
{{- else if eq .Values.ingress.controller "haproxy" }}
haproxy.org/timeout-server: 300s
haproxy.org/forwarded-for: "true"
{{- if $tls }}
haproxy.org/server-ssl: "true"
{{- end }}
{{- else if eq .Values.ingress.controller "haproxy-ingress" }}
haproxy-ingress.github.io/timeout-server: 300s
haproxy-ingress.github.io/proxy-body-size: {{ printf "%dm" $MiB | quote }}
{{- if $tls }}
haproxy-ingress.github.io/backend-protocol: h1-ssl
{{- end }}
{{- else if eq .Values.ingress.controller "contour" }}
projectcontour.io/response-timeout: 300s
{{- end }}
{{- end -}}
