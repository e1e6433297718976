module chartgate.test/loader

go 1.26.0

tool chartgate.test/loader

require (
	go.yaml.in/yaml/v2 v2.4.4
	helm.sh/helm/v3 v3.21.4
)

require (
	github.com/Masterminds/semver/v3 v3.5.0 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	sigs.k8s.io/yaml v1.6.0 // indirect
)
