//go:build tools

// Package tools keeps the pinned program in go.mod: MinIO, an object store that speaks S3.
package tools

import _ "github.com/minio/minio"
