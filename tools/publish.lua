-- SPDX-License-Identifier: MIT
-- The last step of a tool that makes a page: writes it, or with --check as the
-- tool's argument only tells whether the page there is the same.
return function(page, text, tool)
    if arg[1] == "--check" then
        local file = io.open(page)
        local there = file and file:read("a")
        if there ~= text then
            io.stderr:write(page, " is not fresh: run lua5.4 ", tool, "\n")
            os.exit(1)
        end
    else
        local file = assert(io.open(page, "w"))
        assert(file:write(text))
        assert(file:close())
    end
end
