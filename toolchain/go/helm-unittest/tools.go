//go:build tools

// Package tools keeps the pinned program in go.mod: helm-unittest, which runs a chart's unit tests, without Helm.
package tools

import _ "github.com/helm-unittest/helm-unittest/cmd/helm-unittest"
