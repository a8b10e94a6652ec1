//! What holds while things break: Redis, the host, a component.

mod crashes;
mod load;
mod misbehaviour;
mod monitors;
mod races;
mod redis_away;
mod streams;
