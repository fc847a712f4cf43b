-- Two token buckets in one key: a request takes a token from each, or passes by neither. Levels are in billionths of a
-- request, whole numbers: at R requests a second R of them come in every nanosecond. They are exact up to nine million
-- requests, and good enough beyond.
local rate, committed_depth = tonumber(ARGV[1]), tonumber(ARGV[2])
local burst, peak_depth = tonumber(ARGV[3]), tonumber(ARGV[4])
local token = 1e9

local committed, peak = committed_depth, peak_depth
local stored = redis.call('GET', KEYS[1])
if stored then
  local c, p, at = string.match(stored, '^(%d+) (%d+) (%d+)$')
  local passed = math.max(0, now - at) * 1000
  committed = math.min(committed_depth, c + math.floor(rate * passed + 0.5))
  peak = math.min(peak_depth, p + math.floor(burst * passed + 0.5))
end

if committed < token or peak < token then
  local wait = math.max((token - committed) / rate, (token - peak) / burst)
  return math.max(1, math.ceil(wait / 1e9))
end

committed, peak = committed - token, peak - token
local rested = math.max((committed_depth - committed) / rate, (peak_depth - peak) / burst)
keep(KEYS[1], string.format('%.0f %.0f %.0f', committed, peak, now), rested / 1000)
return 0
