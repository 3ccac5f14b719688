//go:build tools

// Package tools keeps the pinned program in go.mod: the provisioner of folders as volumes of the bare cluster.
package tools

import _ "github.com/rancher/local-path-provisioner"
