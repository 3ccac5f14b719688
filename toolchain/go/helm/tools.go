//go:build tools

// Package tools keeps the pinned program in go.mod: Helm 3, which installs charts.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
