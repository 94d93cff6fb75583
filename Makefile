# Gadeblik. `make` lists what can be made; `make demo` shows it at work.

SHELL   := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
RUNTIME := build/onnxruntime
# A number of runs and not a time: before Go 1.27 the end of a time can pass for a
# failure, "context deadline exceeded" without an input (golang/go#75804).
FUZZTIME ?= 5000x
# Programs for those who work on this one; ./... does not find them.
TOOLS := ./testdata ./testdata/generate ./testdata/campaign ./testdata/recall ./testdata/soak ./testdata/hil/... ./testdata/program
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.6.1

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: demo
demo: build ## everything at once on this machine: a drawn drive, a broker, an inbox
	bin/gadeblik demo --out demo-out

.PHONY: build
build: deps ## build bin/gadeblik
	CGO_ENABLED=1 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/gadeblik ./cmd/gadeblik

.PHONY: deps
deps: ## fetch ONNX Runtime into build/onnxruntime, unless there is one
	@inference/onnx/fetch.sh $(RUNTIME)

.PHONY: test
test: build vet staticcheck ## build, vet, staticcheck, race tests, policies, scripts, short fuzzing
	$(GO) test -race -shuffle=on -timeout 20m ./... $(TOOLS)
	@# Sums over pixels: with -race they take minutes.
	$(GO) test -shuffle=on ./testdata/attack
	$(GO) test -shuffle=on -timeout 20m -run 'Canary|NoRawPixel' ./cmd/gadeblik
	@$(MAKE) --no-print-directory fuzz

.PHONY: check
check: fmt tidy test ## what has to pass before a change lands

.PHONY: fmt
fmt: # every Go file as gofmt has it
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'not formatted: run gofmt -w on these'; exit 1; }

.PHONY: tidy
tidy:
	$(GO) mod tidy -diff

.PHONY: vet
vet:
	$(GO) vet -tags figures ./... $(TOOLS) ./testdata/attack

.PHONY: staticcheck
staticcheck:
	$(GO) run $(STATICCHECK) -tags figures ./... $(TOOLS) ./testdata/attack

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (5000x; a time such as 30s)
	@grep -rhoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' --with-filename . | sed -E 's|^\./||; s|/[^/]*:func | |' | sort -u | \
	while read -r dir name; do \
		log=$$($(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "./$$dir" 2>&1) || \
			{ echo "$$log"; echo "fuzz $$dir $$name: failed"; exit 1; }; \
		echo "fuzz $$dir $$name: $$(tail -n 1 <<<"$$log")"; \
	done

.PHONY: bench
bench: deps ## the figures of the design as ratios, both sides in one run
	@$(GO) test -tags figures -run '^TestFigures$$' -count=1 -timeout 20m -v ./agent | grep --line-buffered -vE '^(=== |PASS| *--- PASS)'

.PHONY: campaign
campaign: build ## kills, cuts, full disks and damage, and what arrives all the same; CAMPAIGN=long for hours of it
	$(GO) build -o bin/campaign ./testdata/campaign
	bin/campaign faults --rounds $(if $(filter long,$(CAMPAIGN)),3000,300)
	bin/campaign fleet $(if $(filter long,$(CAMPAIGN)),--each 500,)
	bin/campaign week $(if $(filter long,$(CAMPAIGN)),,--items 500 --rate 1250000)

.PHONY: recall
recall: deps ## what redaction removes from real pictures, and what it misses, into docs/redaction.md
	$(GO) build -o bin/recall ./testdata/recall
	bin/recall --all --doc docs/redaction.md

.PHONY: attack
attack: ## try to read plates off published pictures, ours and others'; writes docs/redaction.md
	$(GO) run ./testdata/attack --write docs/redaction.md

.PHONY: soak
soak: build ## one agent for a long time: does it grow, what does it take; SOAK=1h for longer
	$(GO) vet ./testdata/soak
	$(GO) build -o bin/soak ./testdata/soak
	bin/soak --for $(if $(SOAK),$(SOAK),10m)

HIL_CACHE ?= build/hil
HIL_cc_arm64 := $(if $(filter aarch64,$(shell uname -m)),gcc,aarch64-linux-gnu-gcc)
HIL_cc_amd64 := $(if $(filter x86_64,$(shell uname -m)),gcc,x86_64-linux-gnu-gcc)

.PHONY: hil
hil: hil-arm64 ## boot a Debian kernel in QEMU and run the daemon on its drivers, with faults; hil-amd64 for the other processor

.PHONY: hil-arm64 hil-amd64
hil-arm64 hil-amd64: hil-%: build
	@code=0; testdata/hil/setup.sh $* $(HIL_CACHE) || code=$$?; \
	case $$code in 0) ;; 77) echo "SKIP hil-$*: what it needs cannot be had here, see above"; exit 0 ;; *) exit $$code ;; esac; \
	set -x; \
	CGO_ENABLED=1 GOARCH=$* CC=$(HIL_cc_$*) $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(HIL_CACHE)/$*/gadeblik ./cmd/gadeblik; \
	CGO_ENABLED=0 GOARCH=$* $(GO) build -trimpath -o $(HIL_CACHE)/$*/hil ./testdata/hil; \
	$(GO) build -o bin/hil ./testdata/hil; \
	bin/hil run --arch $* --cache $(HIL_CACHE) $(HIL_FLAGS)

# These start themselves anew, for which the kernel would have to know the emulator.
SELF_STARTING := TestCommandsSurviveKills|TestOutboxKillCampaign|TestOutboxPowerCut

.PHONY: test-arm64
test-arm64: ## the tests of the packages without devices on an emulated arm64 processor (apt: qemu-user-static gcc-aarch64-linux-gnu)
	CGO_ENABLED=0 GOARCH=arm64 $(GO) test -short -timeout 30m -exec qemu-aarch64-static -skip '^($(SELF_STARTING))$$' ./blur/... ./gps/... ./uplink ./agent ./inference
	CGO_ENABLED=1 GOARCH=arm64 CC=$(HIL_cc_arm64) $(GO) test -short -timeout 30m -exec 'qemu-aarch64-static -L /usr/aarch64-linux-gnu' ./inference

.PHONY: deb
deb: ## Debian packages in build/deb, for amd64 and arm64 where there is a compiler for it
	VERSION='$(VERSION)' GO='$(GO)' packaging/build.sh

.PHONY: deb-test
deb-test: ## install, use, upgrade, remove and purge the packages in bare Debian systems; needs root
	VERSION='$(VERSION)' GO='$(GO)' packaging/lifecycle.sh

.PHONY: deb-boot
deb-boot: ## install the package in a Debian that boots in QEMU, and live with it: sandbox, watchdog, restart; needs root; ARCH=arm64 for the other processor
	VERSION='$(VERSION)' GO='$(GO)' HIL_CACHE='$(HIL_CACHE)' packaging/booted.sh $(ARCH)

.PHONY: clean
clean: ## remove what was built
	rm -rf bin build demo-out
