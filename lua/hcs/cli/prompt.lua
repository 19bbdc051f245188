-- SPDX-License-Identifier: MIT
-- hcs -i: the prompt.

return function(list, tools)
    if #list > 0 then
        tools.complain("hcs: -i takes no arguments\n")
        return 2
    end
    require("hcs.repl").run(require "hcs.strict")
    return 0
end
