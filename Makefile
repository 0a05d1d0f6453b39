# The tasks of this project. `make` alone checks.
.PHONY: check test run long baseline

# What the compiler and the lints say.
check:
	cargo fmt --check
	cargo clippy --workspace --all-targets -- -D warnings

# All tests; installs what they need.
test:
	tests/run

# The product on this machine.
run:
	deploy/demo

# The long forms: hours.
long:
	tests/long

# The API that the next version must keep: anew at a release, or with a breaking change that the changelog names.
baseline:
	npx --yes --package @bufbuild/buf@1.75.0 buf build proto --exclude-source-info -o proto/baseline.binpb
