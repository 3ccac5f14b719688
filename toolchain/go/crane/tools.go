//go:build tools

// Package tools keeps the pinned program in go.mod: crane, which copies and inspects container images.
package tools

import _ "github.com/google/go-containerregistry/cmd/crane"
