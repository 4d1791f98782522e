--- The module's errors in the words of the command line: where they name an option
-- of the module's functions, the user has another one to type, or none.

local wording = {}

-- Patterns of the module's texts and what stands there instead, in this order.
local WORDS = {
  { "set the environment variable MINIMAX_API_KEY %(or MINIMAX_API_KEY_FILE%), or the option "
    .. "api_key",
    "set MINIMAX_API_KEY, or let MINIMAX_API_KEY_FILE or --key-file name a file with mode 0600" },
  { "proxy = \"(%S-)\" names them", "--proxy or https_proxy names them: %1" },
  { "option 'base_url' can't be used",
    "the base URL (--base-url, MINIMAX_BASE_URL) can't be used" },
  { "base_url = \"(%S-)\"", "--base-url %1" },
  { "base_url", "--base-url" },
  { "verify = false", "--no-verify" },
  { "overwrite is false", "--no-overwrite is set" },
  { "allow_private = true", "--allow-private" },
  { "; connect_timeout, request_timeout and stall_timeout bound an attempt", "" },
  { "larger than max_response_bytes", "larger than any that is read" },
  { "max_bytes", "--max-bytes" },
  { ", or set submit_rate and query_rate", "" },
  { " %(or set the option kind%)", "" },
  { "the option auth adds it", "it is added by itself" },
  { "minimax%.file \"(%S-)\"", "@%1" },
  { "client:wait%(err%.task%) and client:download go on", "'minimax wait' with that id goes on" },
  { "client:wait%(err%.task%)", "'minimax wait' with that id" },
  { "client:list", "'minimax list'" },
}

local function as_flag(name)
  return "--" .. name:gsub("_", "-")
end

--- Turns a text of the module into one of the command line.
function wording.of(text)
  text = tostring(text)
  for _, word in ipairs(WORDS) do
    text = text:gsub(word[1], word[2])
  end
  return (text:gsub("the option ([%w_]+)", as_flag):gsub("option '([%w_]+)'", as_flag))
end

return wording
