-- Opens a ledger and says what came of it.

local opened, err = require("minimax.batch").open(arg[1])
print(opened or err)
