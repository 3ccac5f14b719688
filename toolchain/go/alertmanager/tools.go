//go:build tools

// Package tools keeps the pinned program in go.mod: Prometheus Alertmanager, the counterpart of the alert channel.
// v0.31 is the last whose module carries its built web interface; later ones embed files that the module lacks.
package tools

import _ "github.com/prometheus/alertmanager/cmd/alertmanager"
