// Command dex is an OpenID Connect issuer for tests: the server of Dex with its memory storage and its password login,
// on a loopback port.
//
// Its first line of input is the settings as JSON; it answers with its issuer URL. Every further line says how many
// milliseconds tokens live from now on, which also makes a new signing key and keeps the old public one as Dex does; it
// answers with that number. It ends with its input, so it never outlives who started it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
	"golang.org/x/crypto/bcrypt"
)

// Keys are due at every new server, and never in between: Dex looks twice a minute.
const keysLive = time.Millisecond

type user struct {
	Email, Name, ID, Password string
}

type settings struct {
	Listen   string
	TokensMs int64
	Clients  []storage.Client
	Users    []user
}

func passwords(users []user) ([]storage.Password, error) {
	var made []storage.Password
	for _, one := range users {
		hash, err := bcrypt.GenerateFromPassword([]byte(one.Password), bcrypt.DefaultCost)
		if err != nil {
			return nil, err
		}
		made = append(made, storage.Password{Email: one.Email, Hash: hash, Username: one.Name, UserID: one.ID})
	}
	return made, nil
}

func configure(wanted settings, issuer string) (server.Config, error) {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	known, err := passwords(wanted.Users)
	if err != nil {
		return server.Config{}, err
	}
	local := storage.Connector{ID: server.LocalConnector, Name: "local", Type: server.LocalConnector}
	kept := storage.WithStaticClients(memory.New(logger), wanted.Clients)
	kept = storage.WithStaticPasswords(kept, known, logger)
	kept = storage.WithStaticConnectors(kept, []storage.Connector{local})
	return server.Config{
		Issuer:            issuer,
		Storage:           kept,
		PasswordConnector: server.LocalConnector,
		RotateKeysAfter:   keysLive,
		IDTokensValidFor:  time.Duration(wanted.TokensMs) * time.Millisecond,
		Logger:            logger,
	}, nil
}

func run() error {
	input := bufio.NewScanner(os.Stdin)
	var wanted settings
	if !input.Scan() {
		return fmt.Errorf("no settings came: %v", input.Err())
	}
	if err := json.Unmarshal(input.Bytes(), &wanted); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", wanted.Listen)
	if err != nil {
		return err
	}
	issuer := "http://" + listener.Addr().String() + "/dex"
	config, err := configure(wanted, issuer)
	if err != nil {
		return err
	}
	var current atomic.Pointer[server.Server]
	// A new server on the same storage finds its keys due and rotates them.
	rotate := func() error {
		made, err := server.NewServer(context.Background(), config)
		if err == nil {
			current.Store(made)
		}
		return err
	}
	if err := rotate(); err != nil {
		return err
	}
	go func() {
		log.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			current.Load().ServeHTTP(w, r)
		})))
	}()
	fmt.Println(issuer)
	for input.Scan() {
		live, err := strconv.ParseInt(input.Text(), 10, 64)
		if err != nil {
			return err
		}
		config.IDTokensValidFor = time.Duration(live) * time.Millisecond
		if err := rotate(); err != nil {
			return err
		}
		fmt.Println(live)
	}
	return input.Err()
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}
