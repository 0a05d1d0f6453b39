# The tasks of this project. `make` alone checks.
.PHONY: check test run long

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
