std = "lua54"
max_line_length = 100
cache = false
exclude_files = { "build", "node_modules" }

files["spec/**/*_spec.lua"].std = "+busted"
files["rockspec/*.rockspec"].std = "+rockspec"
-- A file of types for the language server: declarations that nothing runs.
files["lua/minimax/types.lua"].ignore = { "1", "2", "6" }
