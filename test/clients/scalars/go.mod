module chartgate.test/scalars

go 1.26.0

tool chartgate.test/scalars

require (
	go.yaml.in/yaml/v2 v2.4.4
	sigs.k8s.io/yaml v1.6.0
)
