# make reproduce: everything, from images to report.  make check, make test: quick tests, all tests.
# make compare: what the newest experiment changed; make compare A=HEAD B=low20 names both.
# All make .venv first, from requirements.lock. PYTHON picks another interpreter (3.11 or newer).

# never the one of .venv, which `venv --clear` would remove while it runs
PYTHON ?= $(shell PATH="$$(printf %s "$$PATH" | tr : '\n' | grep -v '/\.venv/bin$$' | paste -sd:)" command -v python3)
INSIDE = PATH="$(CURDIR)/.venv/bin:$$PATH" PYTHONDONTWRITEBYTECODE=1 \
	USER="$${USER:-user}" HOME="$${HOME:-$(CURDIR)/.venv}"

.PHONY: repository reproduce check test compare lock

reproduce: repository .venv/.installed
	@echo "Everything, from images to report: about 5 minutes on two cores; a second time only what changed."
	@$(INSIDE) python -m dvc repro
	@echo "Open reports/$$($(INSIDE) python -c 'from pipeline.config.params import load; print(load().profile)')/report.html"

repository:
	@git rev-parse --git-dir > /dev/null || { \
	echo "DVC needs a git repository; in a download without one: git init && git add -A && git commit -m start"; exit 1; }

check: .venv/.installed
	@OMP_NUM_THREADS=1 $(INSIDE) python -m pytest -q -m "not slow and not drill"

test: .venv/.installed
	@OMP_NUM_THREADS=1 $(INSIDE) python -m pytest -q -n 2 --dist loadfile --benchmark-disable

compare: .venv/.installed
	@$(INSIDE) python -m stages.compare $(A) $(B)

.venv/.installed: requirements.txt requirements.lock
	"$(PYTHON)" -c 'import sys; sys.exit("PRN needs Python 3.11 or newer; name one with make PYTHON=...") if sys.version_info < (3, 11) else None'
	"$(PYTHON)" -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c requirements.lock
	touch $@

lock:
	rm -rf .venv
	"$(PYTHON)" -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-cluster.txt
	.venv/bin/python -m pip freeze | sed 's/+cpu//' > requirements.lock
	touch .venv/.installed
