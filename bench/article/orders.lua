-- Orders for wrk: USER_ID buys one unit of LINES (1) of the products in PRODUCT_IDS (separated by
-- spaces), starting with another product each time. Prints what wrk itself does not: answers by status.
local user, lines = os.getenv("USER_ID"), tonumber(os.getenv("LINES") or "1")
local products, bodies, turn = {}, {}, 0
for id in os.getenv("PRODUCT_IDS"):gmatch("%S+") do products[#products + 1] = id end

for first = 1, #products do
  local items = {}
  for line = 1, lines do
    local product = products[(first + line - 2) % #products + 1]
    items[line] = string.format('{"productId":"%s","quantity":1}', product)
  end
  bodies[first] = string.format('{"userId":"%s","items":[%s]}', user, table.concat(items, ","))
end

local headers = { ["Content-Type"] = "application/json" }
local requests = {}

function init()
  for i, body in ipairs(bodies) do requests[i] = wrk.format("POST", "/orders", headers, body) end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.6f,"p50":%.3f,"p99":%.3f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
