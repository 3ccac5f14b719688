// Program pause is the first process of a pod: it holds the pod's namespaces, does nothing, and buries the dead.
//
// A pod that shares its process namespace has this as pid 1, so every orphan of its containers ends up here; without a
// wait for them the node would fill up with zombies.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	died := make(chan os.Signal, 1)
	signal.Notify(died, syscall.SIGCHLD)
	for {
		select {
		case <-ended:
			return
		case <-died:
			buryAll()
		}
	}
}

// buryAll waits for every child that is dead: one signal may stand for several.
func buryAll() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
	}
}
