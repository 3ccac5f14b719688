//go:build tools

// Package tools keeps the pinned program in go.mod: gitleaks, which looks for literal credentials.
package tools

import _ "github.com/zricethezav/gitleaks/v8"
