-- Notes that a proposal is being accepted, before it is: what a crash leaves half done is found by
-- this.
--
-- KEYS[1]  the cluster partition
-- ARGV     name: text           `<agent>/<message>`.
-- Returns  ok
-- include: clock

redis.call('ZADD', key.unsettled_proposals, clock, name)
keep_clock()
return { 'ok' }
