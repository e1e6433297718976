//go:build tools

// The modules that have the CRDs: only their files are read.
package main

import (
	_ "github.com/prometheus-operator/prometheus-operator/pkg/versionutil"
	_ "sigs.k8s.io/gateway-api/apis/v1"
)
