//go:build tools

// Package tools keeps the pinned program in go.mod: Jaeger 2 (the v1.76 module), built from its own command.
package tools

import _ "github.com/jaegertracing/jaeger/cmd/jaeger"
