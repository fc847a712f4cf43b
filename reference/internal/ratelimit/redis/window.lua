-- A fixed window, which opens with the first request after the last one has ended.
local requests, window = tonumber(ARGV[1]), tonumber(ARGV[2])

local opened, count = now, 0
local stored = redis.call('GET', KEYS[1])
if stored then
  local o, c = string.match(stored, '^(%d+) (%d+)$')
  if now < o + window then
    opened, count = tonumber(o), tonumber(c)
  end
end

local left = opened + window - now
if count >= requests then
  return math.max(1, math.ceil(left / 1e6))
end
keep(KEYS[1], string.format('%.0f %.0f', opened, count + 1), left)
return 0
