//go:build tools

// Package tools keeps the pinned program in go.mod: Helm 4, which installs charts and applies on the server's side.
package tools

import _ "helm.sh/helm/v4/cmd/helm"
