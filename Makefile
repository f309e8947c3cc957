# What a person would type. `make help` lists it.

SHELL   := bash
GOBGP   := github.com/osrg/gobgp/v3/cmd
PROTOS   = $(shell cd proto && ls buoy/v1/*.proto)
PLUGINS := bin/protoc-gen-go bin/protoc-gen-go-grpc bin/protoc-gen-grpc-gateway bin/protoc-gen-openapiv2
PKG     := ./...
# Debian's packages of the routers and tools that the tests run, as root.
ROUTERS := frr bird2 exabgp openbgpd tshark iproute2 curl

.DEFAULT_GOAL := help
.PHONY: help build test lint proto bench soak fuzz demo run clean deps

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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
