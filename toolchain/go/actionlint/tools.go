//go:build tools

// Package tools keeps the pinned program in go.mod: actionlint, which checks the workflows of GitHub Actions.
package tools

import _ "github.com/rhysd/actionlint/cmd/actionlint"
