//! What holds while things break: Redis, the host, a component.

mod crashes;
mod cuts;
mod damage;
mod durability;
mod eras;
mod failovers;
mod ledger;
mod load;
mod many_redis;
mod misbehaviour;
mod monitors;
mod priced;
mod queue;
mod races;
mod redis_away;
mod schedules;
mod secured;
mod sentinels;
mod streams;
mod valkey;
