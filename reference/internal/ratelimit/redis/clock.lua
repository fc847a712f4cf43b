-- now is the time in microseconds, by the clock of Redis.
local clock = redis.call('TIME')
local now = clock[1] * 1e6 + clock[2]

-- keep stores a value for so many microseconds, and a second more.
local function keep(key, value, microseconds)
  redis.call('SET', key, value, 'PX', math.ceil(microseconds / 1000) + 1000)
end
