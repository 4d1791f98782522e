# minimax for Lua 5.4 and 5.5: `make` builds build/minimax.so, `make help` lists
# what else can be made. Each of these may be set on the command line.

LUA     ?= $(call first,command -v,lua5.4 lua-5.4 lua54 lua5.5 lua-5.5 lua55 lua)
PREFIX  ?= /usr/local
LIBDIR   = $(PREFIX)/lib
LUA_LDIR = $(PREFIX)/share/lua/$(LUA_VERSION)
LUA_CDIR = $(LIBDIR)/lua/$(LUA_VERSION)
BUILD    = build
VERSION  = $(shell sed -n 's/^\#define VERSION "\(.*\)"/\1/p' src/minimax.c)
SPECS    = spec

CC      ?= cc
OBJCOPY ?= objcopy
CFLAGS  ?= -O2 -g
WARN     = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
           -Wmissing-prototypes -Wconversion -Wcast-qual -Wpointer-arith \
           -Wwrite-strings -Wundef -Wvla -Wformat=2 $(if $(WERROR),-Werror)

# The first word of $(2) for which the command $(1) succeeds.
first = $(firstword $(foreach n,$(2),$(shell $(1) $(n) >/dev/null 2>&1 && echo $(n))))

# The interpreter's version (where it is not there yet: its name's) says whose
# headers are included, and into which folders it is installed.
LUA_VERSION := $(or $(shell $(LUA) -e 'print(_VERSION:match("%d+%.%d+"))' 2>/dev/null), \
               $(filter 5.%,$(patsubst lua%,%,$(subst -,,$(notdir $(LUA))))),5.4)
ifndef LUA_PC
is_ours = $(filter $(LUA_VERSION).%,$(shell pkg-config --modversion $(1) 2>/dev/null))
names   = lua$(LUA_VERSION) lua-$(LUA_VERSION) lua$(subst .,,$(LUA_VERSION)) lua
LUA_PC := $(firstword $(foreach n,$(names),$(if $(call is_ours,$(n)),$(n))))
endif
ifndef LUA_CFLAGS
LUA_CFLAGS := $(shell pkg-config --cflags $(LUA_PC) 2>/dev/null)
endif
ifndef CURL_CFLAGS
CURL_CFLAGS := $(shell pkg-config --cflags libcurl 2>/dev/null)
endif
ifndef CURL_LIBS
CURL_LIBS := $(or $(shell pkg-config --libs libcurl 2>/dev/null),-lcurl)
endif

# liblua is linked nowhere: the host has it. Only luaopen_* can be seen from
# outside, so that no name of ours meets one of the host's.
SYSTEM := $(shell uname -s)
DL     := $(if $(filter Linux,$(SYSTEM)),-ldl)
ifeq ($(SYSTEM),Darwin)
SHARED = -bundle -undefined dynamic_lookup -Wl,-exported_symbol,'_luaopen_*'
LIBS   = $(CURL_LIBS)
else
SHARED = -shared -Wl,--version-script=src/exports.map
LIBS   = $(CURL_LIBS) -lpthread $(DL)
endif

COMPILE = $(CC) -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
          $(if $(PORTABLE),-DMINIMAX_PORTABLE) -fPIC $(WARN) \
          $(CPPFLAGS) $(LUA_CFLAGS) $(CURL_CFLAGS) -Isrc $(CFLAGS)
SOURCES = $(wildcard src/*.c src/*/*.c)
OBJECTS = $(patsubst src/%.c,$(BUILD)/%.o,$(SOURCES))

# The lowest floor knows neither Lua nor libcurl, and nor does a request's body;
# the specs bind them by themselves.
PURE    = $(filter $(BUILD)/base/% $(BUILD)/net/body.o,$(OBJECTS))

# Where Lua finds the built tree. Debian installs lua-http and copas for older
# versions only, and both run on ours: their folders stand at the end.
OLDER    = $(filter-out $(LUA_VERSION),5.4 5.3 5.2 5.1)
space    = $(eval) $(eval)
SHARE    = $(subst $(space),;,$(foreach v,$(OLDER),/usr/share/lua/$(v)/?.lua /usr/share/lua/$(v)/?/init.lua))
TREE     = $(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua
CTREE    = $(CURDIR)/$(BUILD)/?.so
ahead    = $(if $(findstring $(1),$(2)),$(2),$(1);$(2);$(3))
OF_ONE   = _$(subst .,_,$(LUA_VERSION))
export LUA_PATH  := $(call ahead,$(TREE),$(or $(LUA_PATH$(OF_ONE)),$(LUA_PATH)),$(SHARE))
export LUA_CPATH := $(call ahead,$(CTREE),$(or $(LUA_CPATH$(OF_ONE)),$(LUA_CPATH)))
unexport LUA_PATH$(OF_ONE) LUA_CPATH$(OF_ONE)

RUN_SPECS = $(LUA) spec/support/run.lua $(BUSTED_FLAGS) $(SPECS)
MODULES   = $(shell cd lua && find minimax -name '*.lua')
C_FILES   = $(wildcard src/*.c src/*/*.[ch] spec/support/*.c spec/fuzz/*.c spec/bench/*.c)
LUA_FILES = lua lua/minimax/cli/minimax spec $(wildcard doc/examples) $(wildcard rockspec/*.rockspec)
AGAIN     = @$(MAKE) --no-print-directory -s

all: $(BUILD)/minimax.so ## the module, build/minimax.so

# What stands behind two number signs at a target.
help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z -]*:.*## / { sub(/ .*/, "", $$1); \
	  printf "%-16s %s\n", $$1, $$2 }' Makefile

$(BUILD)/minimax.so: $(OBJECTS)
	$(CC) $(CFLAGS) $(SHARED) $(LDFLAGS) -o $@ $^ $(LIBS)

# For hosts that link the module in: one object, of which they see luaopen_*
# alone, too. What waits for a linker that optimizes becomes plain code in it. On
# i386 the compiler's own __x86.get_pc_thunk.* is shared with the host's objects.
ifeq ($(SYSTEM),Darwin)
ONE_OBJECT = $(CC) -r -nostdlib -Wl,-exported_symbol,'_luaopen_*'
KEEP_OPEN  = true
else
ONE_OBJECT = $(CC) -r -nostdlib \
             $(if $(findstring -flto,$(CFLAGS)),-flinker-output=nolto-rel)
KEEP_OPEN  = $(OBJCOPY) --wildcard --keep-global-symbol='luaopen_*' \
             --keep-global-symbol='__x86.*'
endif

$(BUILD)/libminimax.a: $(filter-out $(BUILD)/calls/signals.o,$(OBJECTS))
	$(ONE_OBJECT) $(CFLAGS) -o $(BUILD)/libminimax.o $^
	$(KEEP_OPEN) $(BUILD)/libminimax.o
	rm -f $@
	$(AR) rcs $@ $(BUILD)/libminimax.o

$(BUILD)/pure.so: $(BUILD)/spec/pure.o $(PURE)
	$(CC) $(CFLAGS) $(SHARED) $(LDFLAGS) -o $@ $^

# No Lua can run in a callback of libcurl's: its headers are not to be found there.
$(filter $(BUILD)/base/% $(BUILD)/net/%,$(OBJECTS)): LUA_CFLAGS =

$(BUILD)/%.o: src/%.c $(BUILD)/lua-version
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/spec/%.o: spec/support/%.c $(BUILD)/lua-version
	$(COMPILE) -MMD -MP -c -o $@ $<

# Changes when the Lua does that objects are compiled for: then all are anew.
$(BUILD)/lua-version: force | $(BUILD)/spec
	@echo '$(LUA_VERSION) $(LUA_CFLAGS)' | cmp -s - $@ || \
	  echo '$(LUA_VERSION) $(LUA_CFLAGS)' >$@

$(BUILD)/spec:
	mkdir -p $@

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d)

# The sources of the last commit: the same bytes wherever they are packed.
DIST = minimax-$(VERSION)
dist: ## the sources of the last commit, packed: the same bytes for everybody
	mkdir -p build
	git -c tar.umask=0022 -c core.autocrlf=false archive \
	  --prefix=$(DIST)/ -o build/$(DIST).tar HEAD -- . ':!debian' ':!.github' ':!.gitignore'
	gzip -9nf build/$(DIST).tar

# The same as a source rock, which needs no repository.
rock: dist ## the same as a source rock
	sed '/tag = /d; s|git+https:[^"]*/minimax.git|file://$(CURDIR)/build/$(DIST).tar.gz|' \
	  rockspec/$(DIST)-1.rockspec >build/$(DIST)-1.rockspec
	cd build && luarocks --lua-version $(LUA_VERSION) pack $(DIST)-1.rockspec

# Debian's packages of the last commit, in build/deb.
deb: dist ## packages of Debian, in build/deb
	rm -rf build/deb
	mkdir -p build/deb
	cp build/$(DIST).tar.gz build/deb/lua-minimax_$(VERSION).orig.tar.gz
	tar -xzf build/$(DIST).tar.gz -C build/deb
	git archive HEAD debian | tar -x -C build/deb/$(DIST)
	cd build/deb/$(DIST) && dpkg-buildpackage -us -uc $(DEB_FLAGS)

# What besides the modules is installed, and where below PREFIX.
SHARED_FILES = doc/minimax.1:share/man/man1/minimax.1 \
               doc/minimax.bash:share/bash-completion/completions/minimax

# eval "$(make -s env)" lets any Lua script find the built tree.
env: ## what lets any script find the built tree, for the shell to eval
	@echo "unset LUA_PATH$(OF_ONE) LUA_CPATH$(OF_ONE);" \
	  "export LUA_PATH='$(LUA_PATH)' LUA_CPATH='$(LUA_CPATH)'"

install: all $(BUILD)/libminimax.a ## installs below PREFIX (DESTDIR is put before it)
	install -d '$(DESTDIR)$(LUA_CDIR)' '$(DESTDIR)$(LUA_LDIR)'
	install -m 755 $(BUILD)/minimax.so '$(DESTDIR)$(LUA_CDIR)'
	for f in $(MODULES); do \
	  install -d '$(DESTDIR)$(LUA_LDIR)'/$${f%/*} && \
	  install -m 644 lua/$$f '$(DESTDIR)$(LUA_LDIR)'/$$f || exit 1; done
	install -d '$(DESTDIR)$(LIBDIR)/pkgconfig'
	install -m 644 $(BUILD)/libminimax.a '$(DESTDIR)$(LIBDIR)'
	sed -e 's|@LIBDIR@|$(LIBDIR)|; s|@LUA@|$(LUA_VERSION)|' \
	  -e 's|@VERSION@|$(VERSION)|; s|@DL@| $(DL)|' \
	  src/minimax.pc.in >'$(DESTDIR)$(LIBDIR)/pkgconfig/minimax.pc'
	for f in $(SHARED_FILES); do install -d "$$(dirname \
	  '$(DESTDIR)$(PREFIX)'/$${f#*:})" && \
	  install -m 644 $${f%%:*} '$(DESTDIR)$(PREFIX)'/$${f#*:} || exit 1; done
	install -d '$(DESTDIR)$(PREFIX)/bin'
	sed '1s|.*|#!$(if $(findstring /,$(LUA)),$(abspath $(LUA)),/usr/bin/env $(LUA))|' \
	  lua/minimax/cli/minimax >'$(DESTDIR)$(PREFIX)/bin/minimax'
	chmod 755 '$(DESTDIR)$(PREFIX)/bin/minimax'

uninstall: ## takes away what install brought
	rm -f '$(DESTDIR)$(LUA_CDIR)/minimax.so' '$(DESTDIR)$(PREFIX)/bin/minimax' \
	  '$(DESTDIR)$(LIBDIR)/libminimax.a' \
	  '$(DESTDIR)$(LIBDIR)/pkgconfig/minimax.pc'
	rm -rf '$(DESTDIR)$(LUA_LDIR)/minimax'
	for f in $(SHARED_FILES); do \
	  rm -f '$(DESTDIR)$(PREFIX)'/$${f#*:} || exit 1; done

# What a target needs of the system; quick and silent where it is all there.
DEPS = LUA='$(LUA)' LUA_VERSION='$(LUA_VERSION)' .ci/deps
deps deps-demo deps-test deps-tools: ## installs what a build needs; deps-demo, -test, -tools, -doc: more
	@$(DEPS) build $(patsubst deps-%,demo %,$(filter deps-%,$@))

deps-doc:
	@$(DEPS) doc

# These install first and then begin anew: only then is Lua there to be found.
demo: deps-demo ## the whole job against the API's stand-in; ends with output.mp4
	$(AGAIN) all
	$(AGAIN) run-demo

run-demo:
	@$(LUA) doc/examples/demo.lua

# All that specs make of it, too: two at a time would be in each other's way.
test: deps-test ## the specs; SPECS="spec/api spec/net/url_spec.lua": only those
	$(AGAIN) all $(BUILD)/pure.so $(BUILD)/libminimax.a
	$(AGAIN) run-specs

run-specs:
	@$(RUN_SPECS)

# make test-on SUITE=trixie ARCH=arm64: the demo and the tests on another Debian.
# Its core is what the main job needs, where all of it would take too long.
CORE = $(foreach n,body buffer call cancel client \
       client_close download each process engine event exchange download_fetch \
       generate sigpipe easy header heap json jsontext loop media on_send options \
       cqueues query reply request retry settings status submit task transfer \
       upload_stream url,$(wildcard spec/*/$(n)_spec.lua))
test-on: ## the demo and the specs on another Debian: SUITE=trixie ARCH=arm64
	@spec/support/test_on.sh $(SUITE) $(ARCH)

test-on-core: ## the same with the core of the specs
	@SPECS='$(CORE)' spec/support/test_on.sh $(SUITE) $(ARCH)

# The same on all systems, and the table in the README; takes hours.
MATRIX = bookworm:amd64:lua5.4 trixie:amd64:lua5.4 sid:amd64:lua5.4 \
         sid:amd64:lua5.5 trixie:i386:lua5.4 trixie:arm64:lua5.4
matrix: ## the same on all systems of the README's table, which it writes; hours
	@CORE='$(CORE)' spec/support/matrix.sh $(MATRIX)

# The specs once more, under watch: each file in a process of its own, since one
# for all grows ever slower. A spec that measures time is tagged #timing.
LEAKS = definite,indirect,possible
valgrind: deps-test deps-tools ## the specs under valgrind (SPECS as for test)
	$(AGAIN) all $(BUILD)/pure.so
	find $(or $(SPECS),spec) -name '*_spec.lua' | sort | xargs -n 1 \
	  valgrind --quiet --error-exitcode=9 --leak-check=full \
	  --keep-debuginfo=yes --show-leak-kinds=$(LEAKS) \
	  --errors-for-leak-kinds=$(LEAKS) \
	  --suppressions=spec/support/valgrind.supp $(LUA) \
	  spec/support/busted.lua $(BUSTED_FLAGS) --exclude-tags=timing

ASAN = BUILD=build/asan LDFLAGS= \
       CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
       -fno-sanitize-recover=undefined'
LSAN = LSAN_OPTIONS=suppressions=spec/support/lsan.supp:print_suppressions=0
asan: deps-test ## the specs under the address and undefined behaviour sanitizers
	$(AGAIN) all $(BUILD)/libminimax.a
	$(AGAIN) run-asan $(ASAN)

run-asan: all $(BUILD)/pure.so
	LD_PRELOAD=$$($(CC) -print-file-name=libasan.so) $(LSAN) \
	  $(RUN_SPECS) --exclude-tags=timing,leaky

# make torture-server SECONDS=1800: all that a client does against a server that
# answers at random. SEED=… CASES=1 REPEAT=20 plays one case again.
torture-server: deps-test ## all calls against a server that answers at random: SECONDS=60
	$(AGAIN) run-torture-server $(ASAN)

run-torture-server: all
	@SANITIZER=$$($(CC) -print-file-name=libasan.so) $(LSAN) \
	  SECONDS='$(SECONDS)' SEED='$(SEED)' CASES='$(CASES)' REPEAT='$(REPEAT)' \
	  CORPUS='$(CORPUS)' $(LUA) spec/torture/server.lua

# make simulate SEED=1 NIGHTS=1000: nights of the batch on a virtual clock, in which
# all goes wrong that can. LEDGER: sqlite, shared (several workers), postgresql.
# One night alone is told step by step.
simulate: deps-test ## nights of a batch on a virtual clock: SEED=1 NIGHTS=1000
	$(AGAIN) all
	$(AGAIN) run-simulate

run-simulate:
	@SEED='$(SEED)' NIGHTS='$(NIGHTS)' LEDGER='$(LEDGER)' $(LUA) spec/simulate/main.lua

# The collector never rests, so that what it may take is taken at once.
gc: deps-test ## the specs with a collector that never rests
	$(AGAIN) test BUSTED_FLAGS='--helper=spec/support/restless.lua --exclude-tags=timing'

lint: deps-tools ## compilers, formatters and our own lints, warnings as errors
	$(AGAIN) all BUILD=build/lint WERROR=1
	$(AGAIN) all BUILD=build/lint-clang WERROR=1 CC=clang
	# What a system of 32 bits would cut, in our files alone.
	if echo '#include <stdlib.h>' | $(CC) -m32 -fsyntax-only -x c - 2>/dev/null; \
	then for f in $(SOURCES); do $(subst -I/,-isystem /,$(COMPILE)) -m32 \
	  -Wno-pedantic -Werror -fsyntax-only $$f || exit 1; done; fi
	clang-format --dry-run -Werror $(C_FILES)
	printf '%s\n' $(SOURCES) | xargs -P 2 -I{} clang-tidy --quiet {} -- -std=c11 \
	  -D_GNU_SOURCE $(LUA_CFLAGS) $(CURL_CFLAGS) -Isrc
	luacheck --no-color -q $(LUA_FILES)
	$(LUA) spec/lint/floors.lua $(wildcard src/*.c src/*/*.[ch])
	$(LUA) spec/lint/locale.lua $(wildcard src/*.c src/*/*.[ch])
	$(LUA) spec/lint/held.lua $(wildcard src/*.c src/*/*.[ch])
	$(LUA) spec/lint/unused.lua $(wildcard src/*.c src/*/*.[ch])
	$(LUA) spec/lint/functions.lua $(SOURCES)
	$(LUA) spec/lint/rockspecs.lua rockspec/*.rockspec
	for f in rockspec/*.rockspec; do \
	  luarocks --lua-version $(LUA_VERSION) lint $$f || exit 1; done

# Each compiler that is there, in each way that a distribution may choose.
.PHONY: compilers
compilers: deps-demo ## each compiler that is there, in each way of a distribution
	@LUA='$(LUA)' LUA_PC='$(LUA_PC)' CC='$(if $(filter cc,$(CC)),,$(CC))' \
	  spec/support/compilers.sh

# Fetches its tool from npm, and so is no part of lint.
lint-workflow: ## checks the CI's workflow, with a tool from npm
	npm exec --yes --package=@action-validator/core@0.6.0 \
	  --package=@action-validator/cli@0.6.0 -- \
	  action-validator .github/workflows/ci.yml

stats: ## lines and functions of each C file
	@$(LUA) spec/lint/functions.lua --table $(SOURCES)

# Memory ends, and system calls fail, at each place; the short form at some.
torture-memory torture-memory-quick: deps-test ## memory ends and system calls fail at each place; -quick: at some
	$(AGAIN) all
	$(LUA) spec/torture/memory.lua $(if $(findstring quick,$@),7 lua,1)
	$(if $(findstring quick,$@),$(LUA) spec/torture/memory.lua 7 'module malloc ENOMEM')

bench bench-quick: all ## measures beside bare C and other clients; bench-quick: few rounds
	$(LUA) spec/bench/run.lua $(patsubst bench-%,%,$(filter bench-%,$@))

# Each target reads hostile bytes for FUZZ_SECONDS.
FUZZ_SECONDS = 60
fuzz: deps-test deps-tools ## hostile bytes for what reads some: FUZZ_SECONDS=60 each
	$(AGAIN) run-fuzz BUILD=build/fuzz CC=clang CFLAGS='-O1 -g \
	  -fsanitize=fuzzer-no-link,address,undefined \
	  -fno-sanitize-recover=undefined \
	  -fprofile-instr-generate -fcoverage-mapping'

FUZZERS = $(patsubst spec/fuzz/%.c,$(BUILD)/%-fuzzer,$(wildcard spec/fuzz/*.c))
run-fuzz: $(FUZZERS)
	for f in $^; do spec/fuzz/run.sh $$f $(FUZZ_SECONDS) || exit 1; done

# From the archive comes only what a target needs.
$(BUILD)/objects.a: $(OBJECTS)
	$(AR) rcs $@ $^

$(BUILD)/%-fuzzer: spec/fuzz/%.c $(BUILD)/objects.a
	$(COMPILE) -fsanitize=fuzzer -o $@ $^ $(LIBS) \
	  $(shell pkg-config --libs $(LUA_PC) 2>/dev/null)

# LDoc wants a module at the head of each file; the module is all of them.
doc: deps-doc ## the reference, in doc/reference
	mkdir -p build/doc
	{ printf '/***\nThe C module.\n@module minimax\n*/\n'; cat $(SOURCES); } \
	  >build/doc/minimax.c
	ldoc -q .

clean: ## removes what was made
	rm -rf build doc/reference output.mp4 output.mp4.part

.PHONY: all help force dist rock deb env install uninstall deps deps-demo \
        deps-test deps-tools deps-doc demo run-demo test run-specs test-on \
        test-on-core matrix valgrind asan run-asan torture-server \
        run-torture-server simulate run-simulate gc lint lint-workflow \
        stats torture-memory torture-memory-quick bench bench-quick fuzz run-fuzz doc clean
