"""A real single-node Kubernetes from pinned Go modules and Debian's containerd, in namespaces of its own."""
