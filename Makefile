# minimax for Lua 5.4: `make` builds build/minimax.so, `make demo` shows it at
# work, `make test` tests it. Each of these may be set on the command line.

LUA     ?= $(call first,command -v,lua5.4 lua-5.4 lua54 lua)
LUA_PC  ?= $(call first,pkg-config --exists,lua5.4 lua-5.4 lua54 lua)
PREFIX  ?= /usr/local
LUA_LDIR = $(PREFIX)/share/lua/5.4
LUA_CDIR = $(PREFIX)/lib/lua/5.4
BUILD    = build
SPECS    = spec

CC      ?= cc
CFLAGS  ?= -O2 -g
WARN     = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
           -Wmissing-prototypes -Wconversion -Wcast-qual -Wpointer-arith \
           -Wwrite-strings -Wundef -Wvla -Wformat=2 $(if $(WERROR),-Werror)

# The first word of $(2) for which the command $(1) succeeds.
first = $(firstword $(foreach n,$(2),$(shell $(1) $(n) >/dev/null 2>&1 && echo $(n))))

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
ifeq ($(SYSTEM),Darwin)
SHARED = -bundle -undefined dynamic_lookup -Wl,-exported_symbol,'_luaopen_*'
LIBS   = $(CURL_LIBS)
else
SHARED = -shared -Wl,--version-script=src/exports.map
LIBS   = $(CURL_LIBS) -lpthread $(if $(filter Linux,$(SYSTEM)),-ldl)
endif

COMPILE = $(CC) -std=c11 -D_GNU_SOURCE -fPIC $(WARN) \
          $(CPPFLAGS) $(LUA_CFLAGS) $(CURL_CFLAGS) -Isrc $(CFLAGS)
OBJECTS = $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/*.c))

# The first floor knows neither Lua nor libcurl; the specs bind it by itself.
PURE    = $(BUILD)/spec/pure.o \
          $(patsubst %,$(BUILD)/%.o,$(shell sed -n 's/^1 //p' spec/lint/floors))

# Where Lua finds the built tree. Debian installs lua-http and copas for older
# versions only, and both run on 5.4: their folders stand at the end.
SHARE    = /usr/share/lua/5.3/?.lua;/usr/share/lua/5.3/?/init.lua;/usr/share/lua/5.2/?.lua;/usr/share/lua/5.2/?/init.lua;/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua
TREE     = $(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua
CTREE    = $(CURDIR)/$(BUILD)/?.so
ahead    = $(if $(findstring $(1),$(2)),$(2),$(1);$(2);$(3))
export LUA_PATH  := $(call ahead,$(TREE),$(or $(LUA_PATH_5_4),$(LUA_PATH)),$(SHARE))
export LUA_CPATH := $(call ahead,$(CTREE),$(or $(LUA_CPATH_5_4),$(LUA_CPATH)))
unexport LUA_PATH_5_4 LUA_CPATH_5_4

all: $(BUILD)/minimax.so

$(BUILD)/minimax.so: $(OBJECTS)
	$(CC) $(CFLAGS) $(SHARED) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/pure.so: $(PURE)
	$(CC) $(CFLAGS) $(SHARED) $(LDFLAGS) -o $@ $^

$(BUILD)/%.o: src/%.c | $(BUILD)/spec
	$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/spec/%.o: spec/support/%.c | $(BUILD)/spec
	$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/spec:
	mkdir -p $@

-include $(wildcard $(BUILD)/*.d $(BUILD)/spec/*.d)

# eval "$(make -s env)" lets any Lua script find the built tree.
env:
	@echo "unset LUA_PATH_5_4 LUA_CPATH_5_4;" \
	  "export LUA_PATH='$(LUA_PATH)' LUA_CPATH='$(LUA_CPATH)'"

clean:
	rm -rf build doc/reference output.mp4 output.mp4.part

.PHONY: all env clean
