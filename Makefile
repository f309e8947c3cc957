# What a person would type. `make help` lists it.

# make lab SHELL=1 asks for a shell in the lab, not for another shell here.
OPERATOR := $(if $(filter command line,$(origin SHELL)),$(SHELL))
override SHELL := bash
GOBGP   := github.com/osrg/gobgp/v3/cmd
PROTOS   = $(shell cd proto && ls buoy/v1/*.proto)
PLUGINS := bin/protoc-gen-go bin/protoc-gen-go-grpc bin/protoc-gen-grpc-gateway bin/protoc-gen-openapiv2
PKG     := ./...
# Debian's packages of the routers and tools that the tests run, as root.
ROUTERS := frr bird2 exabgp openbgpd tshark iproute2 curl
# What the lab has beside them.
LAB     := qemu-system-x86 kmod nftables procps iputils-ping tcpdump
# What its kernel is to load for the gateway and the compute nodes.
MODULES := bridge veth vrf ip_gre ipip fou mpls_router mpls_iptunnel mpls_gso

.DEFAULT_GOAL := help
.PHONY: help build test lab lab-all lint proto bench soak fuzz demo run clean deps

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## bin/buoyd, bin/buoyctl and bin/buoy-agent
	go build -o bin/ ./cmd/...

test: deps ## everything, with the race detector and real routers
	go test -race -parallel 6 -timeout 15m $(PKG)

deps: # what the tests need beside the module itself: routers to be the gateways
	go build -C tools -o ../bin/ $(GOBGP)/gobgpd $(GOBGP)/gobgp
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! dpkg -s $(ROUTERS) >/dev/null 2>&1; then \
	  apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $(ROUTERS); fi
	@if [ ! -x bin/promtool ] && command -v apt-get >/dev/null; then $(MAKE) --no-print-directory bin/promtool; fi

# Only this program out of Debian's package: installed as a whole, it starts a service.
bin/promtool:
	d=$$(mktemp -d) && trap 'rm -rf $$d' EXIT && cd $$d && \
	  { apt-get -q download prometheus || { apt-get -q update && apt-get -q download prometheus; }; } && \
	  dpkg-deb -x prometheus_*.deb . && mv usr/bin/promtool $(CURDIR)/bin/

lint: bin/staticcheck ## gofmt, vet, staticcheck, and that the generated code is not stale
	@out=$$(gofmt -l . ); test -z "$$out" || { echo "gofmt -w $$out"; exit 1; }
	go vet $(PKG)
	bin/staticcheck $(PKG)
	go vet -C tools ./...
	go mod tidy -diff
	$(MAKE) --no-print-directory proto
	@git diff --exit-code -- proto api/openapi.json || { echo "generated code is stale: commit what make proto wrote"; exit 1; }

proto: bin/protogen $(PLUGINS) ## the Go code from proto/, and api/openapi.json
	bin/protogen proto bin api/openapi $(PROTOS)

bin/staticcheck: tools/go.mod
	go build -C tools -o ../$@ honnef.co/go/tools/cmd/staticcheck
bin/protogen: tools/go.mod $(wildcard tools/protogen/*.go)
	go build -C tools -o ../$@ ./protogen
bin/protoc-gen-go: tools/go.mod
	go build -C tools -o ../$@ google.golang.org/protobuf/cmd/protoc-gen-go
bin/protoc-gen-go-grpc: tools/go.mod
	go build -C tools -o ../$@ google.golang.org/grpc/cmd/protoc-gen-go-grpc
bin/protoc-gen-grpc-gateway bin/protoc-gen-openapiv2: tools/go.mod
	go build -C tools -o ../$@ github.com/grpc-ecosystem/grpc-gateway/v2/$(@F)

lab: ## packets from a client to workloads, on a kernel of its own; SHELL=1 leaves you inside
lab-all: ## every scenario of it
lab lab-all: ROUTERS += $(LAB)
lab-all: SCENARIOS := -all
lab-all: bin/buoyd-before
lab lab-all: deps build
	@rm -rf bin/guest/out
	CGO_ENABLED=0 go test -c -o bin/dataplane.test ./internal/dataplane/linux
	CGO_ENABLED=0 go test -c -o bin/packet.test ./integration/packet
ifneq ($(OPERATOR),)
	go run ./internal/lab/guest/boot -terminal /bin/sh -c 'modprobe -a $(MODULES) && bin/packet.test -guest -shell'
else
	go run ./internal/lab/guest/boot /bin/sh -c 'modprobe -a $(MODULES) && bin/dataplane.test -test.v -guest && bin/packet.test -test.v -guest $(SCENARIOS)' \
	  || { echo "what was captured, and what the machines knew, is in bin/guest/out"; exit 1; }
endif

# What an upgrade begins with: buoyd as it was at this commit.
BEFORE := e94069c
bin/buoyd-before:
	d=$$(mktemp -d) && trap 'rm -rf $$d' EXIT && git archive $(BEFORE) | tar -x -C $$d && go build -C $$d -o $(CURDIR)/$@ ./cmd/buoyd

bench: ## the benchmarks; PKG=./bgp/... for some of them
	go test -run '^$$' -bench . -benchmem $(PKG)

soak: deps ## the tests that repeat something, for minutes: restarts, hostile and flapping neighbors
	go test -count=1 -v -timeout 30m -run 'TestGracefulRestart|TestHostileNeighbors|TestFlaps' ./integration -soak

FUZZTIME := 10s
fuzz: ## every fuzz target for FUZZTIME (10s)
	@for file in $$(grep -lr '^func Fuzz' --include '*_test.go' .); do \
	  for f in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\).*/\1/p' $$file); do \
	    echo "$$f in $$(dirname $$file)"; \
	    go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x ./$$(dirname $$file) || exit 1; \
	  done; done

demo: ## see a gateway learn and lose a floating IP; KEEP=1 leaves it running, GATEWAY=frr or bird
	@GATEWAY=$(or $(GATEWAY),gobgp) KEEP=$(KEEP) go run ./internal/lab/demo

run: build ## buoyd on configs/buoyd.yaml
	bin/buoyd --config configs/buoyd.yaml

clean: ## remove what was built and what make run stored
	rm -rf bin run
