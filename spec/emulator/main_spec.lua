--- lua/minimax/emulator/main.lua: the emulator as a program of its own.

local emulated = require "spec.support.emulated"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local PROGRAM = 'require "minimax.emulator".main { %s }'

describe("the emulator from a shell", function()
  local function start(words)
    return process.start { script = PROGRAM:format(words) }
  end

  -- Reads what it says at its start.
  local function introduction(child)
    local said = {}
    repeat
      local line = child:read "l"
      local name, value = (line or ""):match("^export ([%w_]+)=(.+)$")
      if name then
        said[name] = value
      elseif (line or ""):find("--tls", 1, true) then
        said.hint = line
      end
    until not line or line == "Ctrl-C ends it."
    return said
  end

  it("says what to export, serves, and ends well on Ctrl-C", function()
    local child <close> = start '"--port", "0", "--key", "mine", "--log", "--submit-rate", "5/60"'
    local said = introduction(child)
    assert.equal("mine", said.MINIMAX_API_KEY)
    assert.matches("begin with http: a client that makes https of them needs %-%-tls", said.hint)
    assert.equal("0.167", said.MINIMAX_POLL_INTERVAL)
    local reply = assert(emulated.fetch(said.MINIMAX_BASE_URL .. "/v1/files/retrieve?file_id=1",
      { headers = { authorization = "Bearer mine" } }))
    assert.equal(2013, reply.object.base_resp.status_code)
    assert.equal("GET /v1/files/retrieve  retrieve 1", child:read "l")
    child:signal "INT"
    local result = child:finish()
    assert.same({ 130 - 128, "Interrupted.\n" }, { result.signal, result.err })
  end)

  it("ends with its standard input, and takes its certificate with it", function()
    local child <close> = start '"--port", "0", "--tls", "--with-parent"'
    local said = introduction(child)
    assert.truthy(said.MINIMAX_BASE_URL:find "^https://localhost:")
    for _, name in ipairs { "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE" } do
      assert.equal(said.CURL_CA_BUNDLE, said[name])
    end
    assert.is_nil(said.hint)
    assert.equal(0, child:finish().code)
    assert.is_nil(io.open(said.CURL_CA_BUNDLE))
  end)

  it("ends with a pipe that ends", function()
    local script = 'local pipe = io.popen([[' .. shell.quote(shell.interpreter()) .. " -e "
      .. shell.quote(PROGRAM:format '"--port", "0", "--with-parent"')
      .. "]], 'w') print(select(3, pipe:close()))"
    local result = process.run { script = script }
    assert.truthy(result.out:find("Ctrl-C ends it.\n0\n", 1, true), result.out .. result.err)
  end)

  it("meets requests with the faults that it was given", function()
    local child <close> = start('"--port", "0", "--fault", "endpoint=call,fault=status_503", '
      .. '"--fault", "endpoint=call,fault=code,code=1008,attempt=2"')
    local url = introduction(child).MINIMAX_BASE_URL .. "/v1/nowhere"
    assert.equal(503, emulated.fetch(url).status)
    assert.equal(1008, emulated.fetch(url).object.base_resp.status_code)
    assert.equal(404, emulated.fetch(url).status)
    child:signal "TERM"
    assert.equal(0, child:finish().code)
  end)

  it("refuses what it does not understand in one line", function()
    local function problem(words)
      local result = process.run { script = PROGRAM:format(words) }
      assert.not_equal(0, result.code)
      return result.err
    end
    assert.equal("minimax.emulator: option 'port' must be an integer from 0 to 65535\n",
      problem '"--port", "99999"')
    assert.truthy(problem('"--fault", "endpoint=call,fault=rest"')
      :find("unknown fault 'rest'", 1, true))
    assert.truthy(problem('"--submit-rate", "5"'):find("COUNT/SECONDS", 1, true))
    assert.truthy(problem('"--prot", "1"'):find("unknown option '--prot'", 1, true))
    local taken <close> = emulated.start()
    assert.equal("minimax.emulator: Address already in use\n",
      problem('"--port", "' .. taken.emu.port .. '"'))
  end)

  it("reads its arguments from the command line", function()
    local result = process.run { command = { shell.interpreter(), "-e",
      'require "minimax.emulator".main()', "-", "--help" } }
    assert.equal(0, result.code)
    assert.truthy(result.out:find("--submit-rate", 1, true))
  end)
end)
