# Whoever types make gets ./dev: `make build` is `./dev build`; arguments go in ARGS="...".
# SPDX-License-Identifier: Apache-2.0

VERBS := setup build run test bench k6 format lint coverage docs ci
MAKEFLAGS += --no-print-directory

.PHONY: help $(VERBS)

help:
	@./dev

$(VERBS):
	@./dev $@ $(ARGS)

.DEFAULT:
	@./dev $@ $(ARGS)
