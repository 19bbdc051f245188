-- SPDX-License-Identifier: MIT
-- Draws a network: as text, or as SVG. What is drawn is a table:
--
--   { title =, about =, gateway =, guests = { { name =, lines = { … } }, … },
--     forward = { from = "tcp/8080", to = "tcp/80", guest = 1 },
--     links = { { from = 1, to = 2, lines = { … } } } }
local picture = {}

-- --- text ----------------------------------------------------------------------------

local Canvas = {}
Canvas.__index = Canvas

-- Puts a text where it stands over what was there; rows and columns from 1.
function Canvas:put(row, column, text)
    local cells = self[row] or {}
    for _, code in utf8.codes(text) do
        cells[column] = utf8.char(code)
        column = column + 1
    end
    self[row] = cells
end

function Canvas:center(row, column, text)
    self:put(row, column - utf8.len(text) // 2, text)
end

-- A box with lines in it, and where wires come in: at the top, at the bottom.
function Canvas:box(row, column, width, lines, top, bottom)
    local rule = ("─"):rep(width - 2)
    self:put(row, column, "┌" .. rule .. "┐")
    for index, line in ipairs(lines) do
        self:put(row + index, column, "│ ")
        self:put(row + index, column + 2, line)
        self:put(row + index, column + width - 1, "│")
    end
    self:put(row + #lines + 1, column, "└" .. rule .. "┘")
    if top then self:put(row, top, "┴") end
    if bottom then self:put(row + #lines + 1, bottom, "┬") end
end

function Canvas:text()
    local last, rows = 0, {}
    for row in pairs(self) do last = math.max(last, row) end
    for row = 1, last do
        local cells, width = self[row] or {}, 0
        for column in pairs(cells) do width = math.max(width, column) end
        for column = 1, width do cells[column] = cells[column] or " " end
        rows[row] = table.concat(cells):gsub(" +$", "")
    end
    return table.concat(rows, "\n")
end

local function longest(lines, least)
    for _, line in ipairs(lines) do least = math.max(least, utf8.len(line)) end
    return least
end

-- The columns of the guests: { left, width, middle }.
local function columns_of(guests)
    local columns, left = {}, 3
    for index, guest in ipairs(guests) do
        local width = longest(guest.lines, utf8.len(guest.name)) + 4
        columns[index] = { left = left, width = width, middle = left + width // 2 }
        left = left + width + 3
    end
    return columns, left - 2
end

--- The picture as lines of text, in box-drawing characters.
function picture.text(net)
    local canvas = setmetatable({}, Canvas)
    local columns, right = columns_of(net.guests)
    local middle = right // 2 + 1
    local host = "the host"
    local width = utf8.len(host) + 9
    local left = middle - width // 2
    canvas:center(1, middle, "outside")
    canvas:put(2, middle, "│ " .. (net.forward and net.forward.from or ""))
    canvas:box(3, left, width, { "" }, middle, middle)
    canvas:center(4, middle, host)
    canvas:put(6, middle, "│ " .. (net.gateway or ""))
    canvas:put(7, 2, ("═"):rep(right))
    canvas:put(7, middle, "╧")
    canvas:put(6, 3, net.title .. ", " .. net.about)
    for index, guest in ipairs(net.guests) do
        local at = columns[index]
        canvas:put(7, at.middle, at.middle == middle and "╪" or "╤")
        canvas:put(8, at.middle, "│")
        if net.forward and net.forward.guest == index then
            canvas:put(8, at.middle + 2, "→ " .. net.forward.to)
        end
        canvas:box(9, at.left, at.width, { guest.name, table.unpack(guest.lines) }, at.middle)
    end
    return canvas:text()
end

-- --- SVG -----------------------------------------------------------------------------

local WIDTH, GAP = 300, 60 -- of a guest
local HEAD = [[
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d"
    font-family="DejaVu Sans, Segoe UI, Helvetica, sans-serif" font-size="14" fill="#1e293b">
<defs>
<marker id="way" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="6" markerHeight="6"
    orient="auto"><path d="M0 0L10 5L0 10z" fill="#ea580c"/></marker>
<marker id="link" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"
    orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="#2563eb"/></marker>
</defs>
<rect width="100%%" height="100%%" fill="#ffffff"/>
]]

local Svg = {}
Svg.__index = Svg

function Svg:add(format, ...)
    self[#self + 1] = format:format(...)
end

local function escape(text)
    return (text:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;",
        ['"'] = "&quot;" }))
end

function Svg:text(x, y, text, more)
    self:add('<text x="%d" y="%d" %s>%s</text>', x, y, more or "", escape(text))
end

function Svg:box(x, y, width, height, more)
    self:add('<rect x="%d" y="%d" width="%d" height="%d" rx="12" stroke-width="2" %s/>', x, y,
        width, height, more)
end

function Svg:path(d, more)
    self:add('<path d="%s" fill="none" %s/>', d, more)
end

local WIRE = 'stroke="#94a3b8" stroke-width="3"'
local WAY = 'stroke="#ea580c" stroke-width="3" stroke-dasharray="7 5" stroke-linejoin="round"'
local SMALL = 'font-size="13" fill="#64748b"'

local HOST, BUS, GUESTS = 150, 276, 368 -- where they begin

local function draw_guest(svg, guest, x, height)
    svg:path(("M%d %dV%d"):format(x + WIDTH // 2, BUS + 36, GUESTS), WIRE)
    svg:box(x, GUESTS, WIDTH, height, 'fill="#f0fdfa" stroke="#0f766e"')
    svg:text(x + 22, GUESTS + 34, guest.name, 'font-size="19" font-weight="bold"')
    for index, line in ipairs(guest.lines) do
        svg:text(x + 22, GUESTS + 40 + 20 * index, line, index > 1 and SMALL or "")
    end
end

local function draw_forward(svg, forward, middle, x)
    local top = x + WIDTH // 2 + (x + WIDTH // 2 < middle and 16 or -16)
    local way = ("M%d 82V%dH%dV%d"):format(middle + 52, BUS + 18, top, GUESTS - 2)
    svg:path(way, 'stroke="#ffffff" stroke-width="7" stroke-linejoin="round"')
    svg:path(way, WAY .. ' marker-end="url(#way)"')
    svg:text(middle + 66, 122, forward.from, 'fill="#ea580c" font-weight="bold"')
    svg:text(top + 14, GUESTS - 24, forward.to, 'fill="#ea580c" font-weight="bold"')
end

local function draw_link(svg, link, lefts, y)
    local from, to = lefts[link.from] + WIDTH // 2, lefts[link.to] + WIDTH // 2
    svg:path(("M%d %dC%d %d %d %d %d %d"):format(from, y + 4, from, y + 66, to, y + 66, to, y + 4),
        'stroke="#2563eb" stroke-width="2" marker-start="url(#link)" marker-end="url(#link)"')
    for index, line in ipairs(link.lines) do
        svg:text((from + to) // 2, y + 50 + 22 * index, line,
            'text-anchor="middle" fill="#2563eb"')
    end
end

local function draw_host(svg, net, middle)
    svg:box(middle - 70, 46, 140, 36, 'fill="#f8fafc" stroke="#94a3b8"')
    svg:text(middle, 69, "outside", 'text-anchor="middle" fill="#64748b"')
    svg:path(("M%d 82V%d"):format(middle, HOST), WIRE)
    svg:path(("M%d %dV%d"):format(middle, HOST + 60, BUS), WIRE)
    svg:box(middle - 120, HOST, 240, 60, 'fill="#eef2ff" stroke="#4f46e5"')
    svg:text(middle - 24, HOST + 36, "the host",
        'text-anchor="middle" font-size="17" font-weight="bold"')
    svg:text(middle - 14, BUS - 24, net.gateway or "", 'text-anchor="end" ' .. SMALL)
end

local function most_lines(guests)
    local most = 0
    for _, guest in ipairs(guests) do most = math.max(most, #guest.lines) end
    return most
end

--- The picture as an SVG document.
function picture.svg(net)
    local count = #net.guests
    local wide = math.max(count * (WIDTH + GAP) + 60, 620)
    local box = 62 + 20 * most_lines(net.guests)
    local high = GUESTS + box + (net.links and 130 or 40)
    local middle, lefts = wide // 2, {}
    local svg = setmetatable({ HEAD:format(wide, high, wide, high) }, Svg)
    draw_host(svg, net, middle)
    svg:add('<rect x="30" y="%d" width="%d" height="36" rx="18" fill="#0f766e"/>', BUS, wide - 60)
    svg:text(52, BUS + 24, net.title, 'fill="#ffffff" font-weight="bold"')
    svg:text(wide - 52, BUS + 24, net.about, 'fill="#ccfbf1" text-anchor="end"')
    for index, guest in ipairs(net.guests) do
        lefts[index] = (wide - count * WIDTH - (count - 1) * GAP) // 2
            + (index - 1) * (WIDTH + GAP)
        draw_guest(svg, guest, lefts[index], box)
    end
    if net.forward then draw_forward(svg, net.forward, middle, lefts[net.forward.guest]) end
    for _, link in ipairs(net.links or {}) do
        draw_link(svg, link, lefts, GUESTS + box)
    end
    svg:add("</svg>\n")
    return table.concat(svg, "\n")
end

return picture
